"""Cards of what others learn from the scan itself. Imports no torch."""

from demottle.methods.card import Contract, MethodInfo

_SMALL = {"channels": (8, 16), "patch": 64, "batch": 4}
_GRAIN = "hands noise with a grain back; a dozen steps of a small network teach little beside"
_NO_SLICE = "a dozen steps draw no slice; left alone it goes on until only noise is left over"
_MEANS = ("means inside tissues", "means beside edges", "means of whole tissues", "mean of soft tissue")

CARDS = (
    MethodInfo(
        name="noise2void",
        title="Noise2Void; for comparison",
        learns_from="the image itself",
        summary=(
            "Learns from the scan itself: a network guesses hidden pixels from those around. Right for noise that "
            "is independent from pixel to pixel; noise with a grain, as in CT, is handed back."
        ),
        paper="Krull, Buchholz and Jug, CVPR 2019, arXiv 1811.10980",
        module="demottle.methods.rivals.noise2void",
        rival=True,
        contract=Contract(quick=_SMALL, excused={"less noise": _GRAIN, "nearer to the truth": _GRAIN}),
    ),
    MethodInfo(
        name="structn2v",
        title="Structured Noise2Void; for comparison",
        learns_from="the image itself",
        summary=(
            "As noise2void, with a bar of pixels hidden along the direction in which the measured noise is most "
            "correlated."
        ),
        paper="Broaddus et al., ISBI 2020",
        module="demottle.methods.rivals.structn2v",
        rival=True,
        contract=Contract(quick=_SMALL, excused={"less noise": _GRAIN, "nearer to the truth": _GRAIN}),
    ),
    MethodInfo(
        name="neighbor2neighbor",
        title="Neighbor2Neighbor; for comparison",
        learns_from="the image itself",
        summary=(
            "Learns from the scan itself: of every 2 x 2 pixels one teaches its neighbor. Right for noise that is "
            "independent from pixel to pixel; noise with a grain, as in CT, is handed back."
        ),
        paper="Huang et al., CVPR 2021, arXiv 2101.02824",
        module="demottle.methods.rivals.neighbor2neighbor",
        rival=True,
        contract=Contract(quick=_SMALL, excused={"less noise": _GRAIN, "nearer to the truth": _GRAIN}),
    ),
    MethodInfo(
        name="zs-n2n",
        title="Zero-shot Noise2Noise; for comparison",
        learns_from="the image itself",
        summary=(
            "Learns from the scan itself with a tiny network: the two diagonals of every 2 x 2 pixels teach each "
            "other. Right for noise that is independent from pixel to pixel."
        ),
        paper="Mansour and Heckel, CVPR 2023, arXiv 2303.11253",
        module="demottle.methods.rivals.zs_n2n",
        rival=True,
        contract=Contract(
            quick={"channels": (16,), "patch": 64}, excused={"less noise": _GRAIN, "nearer to the truth": _GRAIN}
        ),
    ),
    MethodInfo(
        name="noise2sim",
        title="Noise2Sim; for comparison",
        learns_from="the image itself",
        summary=(
            "Learns from the scan itself: similar pixels of slices up to two away are the target. Assumes that the "
            "noise of slices is independent."
        ),
        paper="Niu et al., IEEE TMI 2022, arXiv 2011.03384",
        module="demottle.methods.rivals.noise2sim",
        rival=True,
        contract=Contract(quick=_SMALL),
    ),
    MethodInfo(
        name="ngps",
        title="NGPS: neighboring slices, completed by patch search; for comparison",
        learns_from="the image itself",
        summary=(
            "Learns from the scan itself: as ns-n2n, and where the next slice does not match, similar patches of it "
            "are the target. Assumes that the noise of slices is independent."
        ),
        paper="arXiv 2606.23200",
        module="demottle.methods.rivals.ngps",
        rival=True,
        contract=Contract(quick={**_SMALL, "window": 5}),
    ),
    MethodInfo(
        name="deep-image-prior",
        title="Deep Image Prior; for comparison, slow",
        learns_from="the image itself",
        summary=(
            "Makes a network draw each slice from random numbers and stops when what is left over is as much as the "
            "measured noise. Learns every slice anew: minutes for a few slices."
        ),
        paper="Ulyanov, Vedaldi and Lempitsky, CVPR 2018, arXiv 1711.10925",
        module="demottle.methods.rivals.deep_image_prior",
        rival=True,
        contract=Contract(
            quick={"channels": (8, 8)},
            steps=4,
            wrong={"steps": 0},
            excused=dict.fromkeys(("less noise", "nearer to the truth", *_MEANS), _NO_SLICE),
        ),
    ),
    MethodInfo(
        name="patch2self",
        title="Patch2Self, for series of volumes (diffusion MR); for comparison",
        learns_from="the image itself",
        summary=(
            "Predicts every volume of a series from all the others by linear regression, which leaves out the noise "
            "that each has for itself. For many volumes of the same voxels."
        ),
        paper="Fadnavis, Batson and Garyfallidis, NeurIPS 2020, arXiv 2011.01355",
        module="demottle.methods.rivals.patch2self",
        images="sequences",
        rival=True,
    ),
)
