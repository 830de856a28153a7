"""Cards of the methods that learn one network from the slices of the scan itself. Imports no torch."""

from demottle.methods.card import Contract, MethodInfo

CARDS = (
    MethodInfo(
        name="matched-neighbors",
        title="Neighboring slices as targets, matched, decorrelated and completed by recorruption",
        learns_from="the image itself",
        summary=(
            "Begins with a network trained on simulations and learns on from the scan itself. Where neighboring slices show the "
            "same tissue they are the target, corrected for the noise they share; where they do not, the slice itself is the "
            "target, split into two parts with independent noise by adding noise of the measured spectrum. Thresholds and "
            "weights follow the local noise."
        ),
        paper="demottle; builds on NS-N2N (arXiv 2411.10831) and Recorrupted-to-Recorrupted (CVPR 2021)",
        module="demottle.methods.one_scan.matched_neighbors",
        contract=Contract(quick={"patch": 64}, steps=30),
    ),
    MethodInfo(
        name="ns-n2n",
        title="Neighboring Slice Noise2Noise, as published",
        learns_from="the image itself",
        summary=(
            "Learns one network from the scan itself, each slice predicting its neighbors in matched regions, with regional "
            "consistency and inter-slice continuity. Assumes that the noise of neighboring slices is independent."
        ),
        paper="arXiv 2411.10831",
        module="demottle.methods.one_scan.ns_n2n",
        contract=Contract(quick={"patch": 96, "batch": 4}),
    ),
)
