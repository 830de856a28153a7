"""Cards of the classical filters, of slices and of frames. Imports no torch."""

from demottle.methods.card import Contract, MethodInfo

_SKIN = "blurs the skin into the air around"
_THIN = "draws fat that is thinner than its window toward the muscle beside it"
_FLAT = "takes contrast from what is thin: less total variation is what it looks for"

CARDS = (
    MethodInfo(
        name="spectral-wiener",
        title="Wiener shrinkage by the measured noise spectrum",
        learns_from="nothing",
        summary=(
            "A classical filter: overlapping windows of each slice are shrunk frequency by frequency against the noise "
            "spectrum measured on the scan. Works on a single slice; used where learning from the scan is not possible."
        ),
        paper="empirical Wiener filtering in local windows; noise spectrum after ICRU 87 / AAPM TG-233",
        module="demottle.methods.filters.spectral_wiener",
        contract=Contract(wrong={"window": 17}),
    ),
    MethodInfo(
        name="motion-adaptive-recursive",
        title="Recursive filter that lets go where something moves",
        learns_from="nothing",
        summary=(
            "A classical filter over time: each pixel is averaged with what came before it, and less so the more it differs "
            "from that in units of the measured noise. No delay."
        ),
        paper="classical; weight by a smooth step of |x - y| / sigma from 2 to 4",
        module="demottle.methods.filters.motion_adaptive_recursive",
        images="sequences",
    ),
    MethodInfo(
        name="recursive",
        title="Recursive filter over time, as in fluoroscopy cameras",
        learns_from="nothing",
        summary=(
            "A classical filter: each frame is averaged with the result before it, 9.5 dB less noise at the usual weight of "
            "0.2 where nothing moves. What moves leaves a trail. No delay."
        ),
        paper="classical; first-order recursive average",
        module="demottle.methods.filters.recursive",
        images="sequences",
    ),
    MethodInfo(
        name="frame-average",
        title="Mean of the last frames",
        learns_from="nothing",
        summary="A classical filter: the mean of the last five frames. What moves is seen five times. No delay unless centered.",
        paper="classical",
        module="demottle.methods.filters.frame_average",
        images="sequences",
    ),
    MethodInfo(
        name="nvca",
        title="Mean of similar pixels in space and time (NVCA)",
        learns_from="nothing",
        summary=(
            "A classical filter: the mean over 5 x 5 pixels and 5 frames of those that lie within two standard deviations of "
            "the noise from the pixel itself. Delayed by two frames."
        ),
        paper="noise-variance-controlled averaging; sigma filter (Lee 1983) over space and time",
        module="demottle.methods.filters.nvca",
        images="sequences",
    ),
    MethodInfo(
        name="mp-pca",
        title="Principal components less those of noise, for MR series (MP-PCA)",
        learns_from="nothing",
        summary=(
            "For volumes over time or diffusion weighting: in small windows the series has few components, and noise has "
            "eigenvalues of known spread (Marchenko and Pastur); those are dropped. Nothing is averaged over the series."
        ),
        paper="Veraart et al., NeuroImage 2016",
        module="demottle.methods.filters.mp_pca",
        images="sequences",
        live=False,
        contract=Contract(at_once={"demottle.methods.filters.mp_pca._AT_ONCE": 7}),
    ),
    MethodInfo(
        name="gaussian",
        title="Gaussian smoothing; for comparison",
        learns_from="nothing",
        summary="A classical filter: a weighted mean over the pixels around. Noise and detail go together.",
        paper="classical",
        module="demottle.methods.filters.gaussian",
        rival=True,
        contract=Contract(
            wrong={"sigma": 0.0},
            excused={"nearer to the truth": _SKIN, "means of whole tissues": _SKIN, "mean of soft tissue": _SKIN},
        ),
    ),
    MethodInfo(
        name="bilateral",
        title="Bilateral filter (OpenCV); for comparison",
        learns_from="nothing",
        summary=(
            "A classical filter: a mean over pixels that are near and similar, in units of the measured noise. Keeps strong "
            "edges; single pixels far off stay."
        ),
        paper="Tomasi and Manduchi, ICCV 1998",
        module="demottle.methods.filters.bilateral",
        rival=True,
        contract=Contract(
            wrong={"strength": -1.0}, excused={"means beside edges": _THIN, "means of whole tissues": _THIN}
        ),
    ),
    MethodInfo(
        name="nlm",
        title="Non-local means (scikit-image); for comparison",
        learns_from="nothing",
        summary=(
            "A classical filter: a mean over pixels whose surroundings look alike, in units of the measured noise. Takes the "
            "noise as white, which that of CT is not."
        ),
        paper="Buades, Coll and Morel, CVPR 2005",
        module="demottle.methods.filters.nlm",
        rival=True,
        contract=Contract(wrong={"patch": 4}),
    ),
    MethodInfo(
        name="tv",
        title="Total variation (scikit-image); for comparison",
        learns_from="nothing",
        summary=(
            "A classical filter: the image with the least total variation near the noisy one. Edges stay, tissue between them "
            "becomes flat patches."
        ),
        paper="Rudin, Osher and Fatemi 1992; Chambolle 2004",
        module="demottle.methods.filters.tv",
        rival=True,
        contract=Contract(wrong={"rounds": 0}, excused={"means beside edges": _FLAT, "means of whole tissues": _FLAT}),
    ),
    MethodInfo(
        name="bm3d",
        title="BM3D (its authors' package, not free for commercial use); for comparison",
        learns_from="nothing",
        summary=(
            "A classical filter: similar blocks of a slice are shrunk together, against white noise or the noise spectrum "
            "measured on the scan."
        ),
        paper="Dabov et al., IEEE TIP 2007; Mäkinen, Azzari and Foi, IEEE TIP 2020",
        module="demottle.methods.filters.bm3d",
        needs="bm3d",
        rival=True,
        contract=Contract(wrong={"spectrum": "pink"}, slow=True),
    ),
    MethodInfo(
        name="bm4d",
        title="BM4D (its authors' package, not free for commercial use); for comparison",
        learns_from="nothing",
        summary=(
            "A classical filter: as bm3d, with cubes of the whole volume, told the measured correlation between slices as well."
        ),
        paper="Maggioni et al., IEEE TIP 2013",
        module="demottle.methods.filters.bm4d",
        needs="bm4d",
        rival=True,
        contract=Contract(
            wrong={"threads": -1}, slow=True, excused={"order of slices": "its cubes are laid from the first slice on"}
        ),
    ),
)
