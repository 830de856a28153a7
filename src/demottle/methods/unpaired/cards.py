"""Cards of the methods that are trained on sets of scans. Imports no torch."""

from demottle.methods.card import Contract, MethodInfo

_UNTAUGHT = "two steps on two patients, all that the test trains for, teach nothing"
_STRIPS = {"demottle.methods.unpaired.pdml._STRIP": 4096}
_HU = dict.fromkeys(
    ("means inside tissues", "means beside edges", "mean of soft tissue"),
    "CT numbers follow those of the full-dose scans, and two steps of training shift them",
)

CARDS = (
    MethodInfo(
        name="pdml",
        title="Patch-wise deep metric learning on the high band, from unpaired scans",
        learns_from="unpaired sets",
        summary=(
            "Learns from low-dose scans and full-dose scans of other patients. Only the high wavelet band goes through the "
            "network, so CT numbers of organs cannot shift; a metric loss keeps the anatomy. Has to be trained first."
        ),
        paper="Jung et al., MICCAI 2022, arXiv 2207.02377",
        module="demottle.methods.unpaired.pdml",
        contract=Contract(at_once=_STRIPS, trained_steps=10),
    ),
    MethodInfo(
        name="perceptual-cyclegan",
        title="CycleGAN with attention and a perceptual loss made for CT, from unpaired scans",
        learns_from="unpaired sets",
        summary=(
            "Learns from low-dose scans and full-dose scans of other patients: two generators with attention-gated skips and "
            "residual blocks, two discriminators, cycle, identity and perceptual losses; the features come from a CT autoencoder "
            "trained on the full-dose scans. CT numbers follow those of the full-dose scans."
        ),
        paper="arXiv 2605.00793",
        module="demottle.methods.unpaired.perceptual_cyclegan",
    ),
    MethodInfo(
        name="ascon",
        title="Channel attention and a contrast with the reference's anatomy (ASCON), on simulated noise or from pairs",
        learns_from="unpaired sets",
        summary=(
            "A U-Net with attention over channels learns to take noise off full-dose scans, simulated like that of low-dose "
            "scans of others, or learns from pairs (pairs=true); features of its result are compared with those of full dose, of "
            "patches and of pixels. Has to be trained first."
        ),
        paper="Chen et al., MICCAI 2023, arXiv 2307.12225",
        module="demottle.methods.unpaired.ascon",
        contract=Contract(at_once={"demottle.methods.unpaired.ascon._TILES": 3}),
    ),
    MethodInfo(
        name="dose-diffusion",
        title="One network for every dose, learned from full-dose scans alone; the dose of the result can be chosen",
        learns_from="full-dose scans",
        summary=(
            "Learns to take off noise simulated on full-dose scans, as strong as it is told. A scan's dose is measured by its "
            "noise; in some passes without random numbers it is taken to full dose, or to the dose that is asked for "
            "(target=0.5), whose noise it then has in its own grain. A scan at full dose comes back as it is. Has to be trained "
            "first."
        ),
        paper="after Kim et al., PMB 2025, and Gao et al., TMI 2024, arXiv 2304.01814",
        module="demottle.methods.unpaired.diffusion.dose_diffusion",
        when_applied=("target", "passes", "calibrate", "local", "noise"),
        contract=Contract(
            at_once={"demottle.methods.unpaired.diffusion.dose_diffusion._STRIP": 4096}, trained_steps=20
        ),
    ),
    MethodInfo(
        name="cyclegan",
        title="CycleGAN, from unpaired scans; for comparison",
        learns_from="unpaired sets",
        summary=(
            "As perceptual-cyclegan, without attention and without a perceptual loss. CT numbers follow those of the full-dose "
            "scans, and the result can be worse than the input."
        ),
        paper="Zhu et al., ICCV 2017, arXiv 1703.10593",
        module="demottle.methods.unpaired.cyclegan",
        rival=True,
        contract=Contract(excused=_HU),
    ),
    MethodInfo(
        name="cut",
        title="Contrastive unpaired translation (CUT), from unpaired scans; for comparison",
        learns_from="unpaired sets",
        summary=(
            "One generator and one discriminator; places of the output have to be found again in the input by their features. CT "
            "numbers follow those of the full-dose scans."
        ),
        paper="Park et al., ECCV 2020, arXiv 2007.15651",
        module="demottle.methods.unpaired.cut",
        rival=True,
        contract=Contract(excused=_HU),
    ),
    MethodInfo(
        name="supervised",
        title="Learning from pairs of scans: the upper bound for what learns without pairs",
        learns_from="pairs",
        summary=(
            "Learns from the same slices at low and at full dose, which exist in simulations only, with the network of pdml or "
            "that of perceptual-cyclegan."
        ),
        paper="classical",
        module="demottle.methods.unpaired.supervised",
        rival=True,
        contract=Contract(
            at_once=_STRIPS,
            excused=dict.fromkeys(("means inside tissues", "means beside edges", "mean of soft tissue"), _UNTAUGHT),
        ),
    ),
)
