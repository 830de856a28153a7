"""The registry: the one list of methods that the command line, the documentation and the tests go by. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Literal

from demottle.errors import InputError


@dataclass(frozen=True)
class MethodInfo:
    """One method.

    Attributes:
        name: what a user types.
        title: one line.
        learns_from: what `fit` needs beside settings: nothing (a filter), the image itself, unpaired sets, or pairs.
        summary: what it does and when to use it, in a few sentences.
        paper: where it comes from.
        module: where it lives; has `Settings`, `fit(image, settings, ...)` and `restore(settings, fitted, tensors)`. What is
            trained on sets of scans has `train(sets, settings, ...)` and `PRESETS` in place of `fit`.
        images: "volumes" of slices (fitted with a `Fingerprint`), "sequences" of frames (with a `SequenceFingerprint`), "both".
        needs: package that it is a wrapper of and that demottle does not bring, as pip and Python call it; None: nothing.
        live: False where a method for sequences needs the whole series before its first frame.
        rival: True for what others do, here to be compared with, as its paper or package has it.
    """

    name: str
    title: str
    learns_from: Literal["nothing", "the image itself", "unpaired sets", "pairs"]
    summary: str
    paper: str
    module: str
    images: Literal["volumes", "sequences", "both"] = "volumes"
    needs: str | None = None
    rival: bool = False
    live: bool = True

    def takes(self, sequence: bool) -> bool:
        """True where the method takes sequences, or volumes."""
        return self.images in ("both", "sequences" if sequence else "volumes")

    @property
    def is_trained(self) -> bool:
        """True where it learns from sets of scans beforehand, with `demottle train`."""
        return self.learns_from in ("unpaired sets", "pairs")

    @property
    def is_installed(self) -> bool:
        """True where everything it needs is there; imports nothing."""
        return self.needs is None or find_spec(self.needs) is not None

    def load(self) -> ModuleType:
        """Import the method's module (this may import torch)."""
        return import_module(self.module)


_ALL = (
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
    ),
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
    ),
    MethodInfo(
        name="udca",
        title="A student taught by the frames around each frame, for fluoroscopy (and stacks of slices)",
        learns_from="the image itself",
        summary=(
            "Learns from the noisy run alone. A small student learns from the recursive average of frames brought onto one "
            "another by optical flow, from the frame itself where something moves, and, where asked for, from a teacher that "
            "predicts each frame from those around it. Only the student runs: no delay."
        ),
        paper="arXiv 2411.00830",
        module="demottle.methods.udca.method",
        images="both",
    ),
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
        name="cyclegan",
        title="CycleGAN, from unpaired scans; for comparison",
        learns_from="unpaired sets",
        summary=(
            "As perceptual-cyclegan, without attention and without a perceptual loss. CT numbers follow those of the full-dose "
            "scans, and the result can be worse than the input."
        ),
        paper="Zhu et al., ICCV 2017, arXiv 1703.10593",
        module="demottle.methods.unpaired.cyclegan",
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
    ),
    MethodInfo(
        name="nordic",
        title="Principal components less those of a known noise, for complex and magnitude MR series (after NORDIC)",
        learns_from="nothing",
        summary=(
            "For volumes over time or diffusion weighting, best with their phase (--phase). The series is divided by its noise "
            "map, measured or given; components of small patches that pure noise would have are dropped, the others shrunk "
            "for the least squared error. Nothing is averaged over the series."
        ),
        paper="after Moeller et al., NeuroImage 2021, Vizioli et al., Nat Commun 2021, and Gavish and Donoho, IEEE TIT 2017",
        module="demottle.methods.low_rank.nordic",
        images="sequences",
        live=False,
    ),
    MethodInfo(
        name="gaussian",
        title="Gaussian smoothing; for comparison",
        learns_from="nothing",
        summary="A classical filter: a weighted mean over the pixels around. Noise and detail go together.",
        paper="classical",
        module="demottle.methods.filters.gaussian",
        rival=True,
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
    ),
    MethodInfo(
        name="nl-bayes",
        title="Non-local Bayes of volumes, told the measured noise",
        learns_from="nothing",
        summary=(
            "A filter: every small cube is estimated from the cubes around that look like it, against the noise that was "
            "measured on the scan, within slices and between them. What MR volumes are given to; of CT the gate mostly "
            "refuses its result, because slices come to share noise."
        ),
        paper="after Lebrun, Buades and Morel, SIAM J. Imaging Sciences 2013",
        module="demottle.methods.bayes.nl_bayes",
    ),
    MethodInfo(
        name="guided-bayes",
        title="A learned result says which cubes are alike, and the noisy cubes then speak for themselves (default for CT)",
        learns_from="the image itself",
        summary=(
            "Learns from the scan as matched-neighbors does, then estimates every small cube from the noisy cubes that look like "
            "it in the learned result and in a first look at the cubes alone, which guides by itself beside bone and air. Coarse "
            "contrast is that of the learned result. Noise in bone goes too. Stacks of any number of slices."
        ),
        paper="demottle; builds on matched-neighbors and on Lebrun, Buades and Morel, SIAM J. Imaging Sciences 2013",
        module="demottle.methods.bayes.guided_bayes",
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
    ),
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

METHODS: Mapping[str, MethodInfo] = {info.name: info for info in _ALL}


def method(name: str) -> MethodInfo:
    """Look a method up by name.

    Raises:
        InputError: for an unknown name; the sentence lists the known ones.
    """
    if name not in METHODS:
        raise InputError(f'There is no method "{name}"; the methods are: {", ".join(METHODS)}.')
    return METHODS[name]


def refuse_missing(name: str) -> None:
    """Refuse a method whose package is not installed.

    Raises:
        InputError: says which; or the method is unknown.
    """
    info = method(name)
    if not info.is_installed:
        raise InputError(
            f"{name} is a wrapper of the package {info.needs}, which is not installed; pip install {info.needs} brings it."
        )


def refuse_untrained(name: str) -> None:
    """Refuse a method that one scan cannot teach.

    Raises:
        InputError: for a method that has to be trained on sets of scans before it is applied, or an unknown one.
    """
    info = method(name)
    if info.is_trained:
        raise InputError(
            f"{name} learns from {info.learns_from}, not from the scan that is denoised; train a model first and give that."
        )
