"""From a `SequenceFingerprint` to a method and its settings, with the reasons in words. Imports no torch."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demottle.errors import UnsuitableError, counted
from demottle.methods.registry import METHODS
from demottle.methods.registry import method as look_up
from demottle.noise.sequence.fingerprint import PANNING, SequenceFingerprint
from demottle.noise.sequence.lag import INDEPENDENT, MOST_HELD, freed, lag_to_undo
from demottle.pipeline.plan import Plan

CLASSICAL_SEQUENCE = "motion-adaptive-recursive"
DEFAULT_SEQUENCE = "udca"
MR_SERIES = "mp-pca"
NORDIC = "nordic"
_ENOUGH_VOLUMES, _LEAST_VOLUMES = 12, 6
"""From how many volumes on the noise of single places can be measured, and with how many its level is of use."""
_FEWEST_VOLUMES = 4
ONE_FRAME = (
    "The run has a single frame, so there is nothing to learn from and nothing to average over time; give a model that was "
    "fitted on a longer run of the same system, or ask for nvca, which averages similar pixels within the frame."
)
NO_GAIN = (
    "Every filter was tried on this run, and none brings it nearer to the truth than it is without making thin moving wires "
    "harder to see: its noise is too weak, or cannot be told from what it shows. Leave the run as it is, or name a method with "
    "--method."
)
_FEWEST_FRAMES, _ENOUGH_FRAMES = 8, 20
_FEW_TO_LEARN_FROM = (
    f"With fewer than {_ENOUGH_FRAMES} frames there is little to learn from: the network that demottle brings along is used "
    "where it is nearer to the truth than every filter, and a filter elsewhere."
)
_SMALLEST_SIDE = 64
_NAMED = 4  # filters whose errors are told


@dataclass(frozen=True)
class Candidate:
    """What may be chosen, with settings that are not its defaults.

    `live`: it waits for no frame that is to come; `learned`: it is what learning from the run made of it.
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    live: bool = True
    learned: bool = False

    @property
    def name(self) -> str:
        """As a sentence calls it."""
        if self.learned:
            return f"what {self.method} learned"
        told = ", ".join(f"{key}={str(value).lower()}" for key, value in self.settings.items())
        return f"{self.method} ({told})" if told else self.method

    @property
    def within_frames(self) -> bool:
        """Whether it looks at one frame alone."""
        return bool(self.settings.get("frames") == 1)


CANDIDATES = (
    Candidate("motion-adaptive-recursive"),
    Candidate("recursive"),
    Candidate("frame-average"),
    Candidate("frame-average", {"centered": True}, live=False),
    Candidate("nvca", {"frames": 1}),
    Candidate("nvca", live=False),
    Candidate("mp-pca", live=False),
    Candidate(DEFAULT_SEQUENCE),
)
"""The last one as it is before it learns (`methods.udca.method.untaught`)."""


@dataclass(frozen=True)
class Risk:
    """What was measured for a filter on the run itself (`sequence_risk`).

    Attributes:
        candidate: the filter.
        error: estimated root mean square of the distance to the truth, in the image's unit.
        untouched: the same of the run as it is.
        loses: why it is not to be chosen, in a sentence, however small its error; empty where it may be.
    """

    candidate: Candidate
    error: float
    untouched: float
    loses: str = ""


def make_sequence_plan(
    fingerprint: SequenceFingerprint,
    method: str | None = None,
    settings: Mapping[str, Any] | None = None,
    risks: Sequence[Risk] = (),
    known: Set[str] = frozenset(),
) -> Plan:
    """Choose a method for a sequence; a method or settings asked for take precedence.

    Args:
        fingerprint: what was measured.
        method, settings: what was asked for.
        risks: risks of the filters, the smallest error first; without them a run that is short or cannot be learned from gets the
            usual filter.
        known: what an MR series has beside its magnitudes: "phase", "noise", "gfactor".

    Raises:
        InputError: for an unknown method.
        UnsuitableError: for a method that does not take sequences; where none is asked for, for a single frame, of which
            nothing can be learned and nothing averaged, and where no filter would bring the run nearer to the truth.
    """
    given = dict(settings or {})
    if method is not None:
        if not look_up(method).takes(sequence=True):
            suitable = ", ".join(name for name, info in METHODS.items() if info.takes(sequence=True))
            raise UnsuitableError(f"{method} is for volumes of slices, but this is a run of frames; use {suitable}.")
        if method == NORDIC and fingerprint.modality == "MR":
            return Plan(method, given, (f"{method} was asked for.", *_why_nordic(known | {"sigma"} & set(given))))
        return Plan(
            method, given, (f"{method} was asked for.", *findings(fingerprint), *_lag_undone(fingerprint, given))
        )
    if fingerprint.modality == "MR":
        return _mr_plan(fingerprint, given, known | {"sigma"} & set(given))
    if fingerprint.shape[0] == 1:
        raise UnsuitableError(ONE_FRAME, remedy="model")
    obstacle = obstacle_to_learning(fingerprint)
    if obstacle or is_short(fingerprint):
        reason = f"{obstacle} So a classical filter is used that learns nothing." if obstacle else _FEW_TO_LEARN_FROM
        why = (*findings(fingerprint), *_lag_undone(fingerprint, given), reason)
        return filter_plan(risks, given, why) if risks else Plan(CLASSICAL_SEQUENCE, given, why)
    reason = "The run is long enough to learn from, so a network is fitted on it; no frame waits for a later one."
    return Plan(DEFAULT_SEQUENCE, given, (*findings(fingerprint), *_lag_undone(fingerprint, given), reason))


def filter_plan(risks: Sequence[Risk], given: Mapping[str, Any], known: tuple[str, ...], learning: bool = True) -> Plan:
    """Plan for what was nearest to the truth; `known` are the reasons so far; `learning`: a network will learn from the run.

    Raises:
        UnsuitableError: where none is nearer than the run as it is.
    """
    allowed = [risk for risk in risks if not risk.loses]
    best = allowed[0]
    barred = tuple(risk.loses for risk in risks if risk.loses and risk.error < best.error)
    if best.error >= best.untouched:
        raise UnsuitableError(NO_GAIN)
    told = ", ".join(f"{risk.candidate.name} {risk.error:.3g}" for risk in allowed[:_NAMED])
    how = ""
    if best.candidate.method == DEFAULT_SEQUENCE:
        how = ", and learns from the run first" if learning else " as it comes with demottle"
    sentence = (
        f"The filters were tried on this run and their distance to the truth estimated from its noise (root mean square): "
        f"{told}; the run as it is {best.untouched:.3g}. So {best.candidate.name} is used"
        f"{how}."
    )
    return Plan(best.candidate.method, {**best.candidate.settings, **given}, (*known, *barred, sentence))


def _mr_plan(found: SequenceFingerprint, given: Mapping[str, Any], known: Set[str]) -> Plan:
    """Plan for volumes over time or diffusion weighting, of which none may be mixed into another.

    Raises:
        UnsuitableError: for too few volumes.
    """
    if found.shape[0] < _FEWEST_VOLUMES:
        raise UnsuitableError(
            f"The series has {counted(found.shape[0], 'volume')}; with fewer than {_FEWEST_VOLUMES} its noise cannot be told "
            "from its signal. Denoise each volume by itself."
        )
    alone = (
        f"The series holds {counted(found.shape[0], 'volume')} over time or diffusion weighting. What one of them alone "
        "shows is what they were taken for, so nothing is averaged over them and no network smooths them."
    )
    if found.shape[0] >= (_LEAST_VOLUMES if known else _ENOUGH_VOLUMES):
        return Plan(NORDIC, given, (alone, *_why_nordic(known)))
    return Plan(
        MR_SERIES,
        given,
        (
            alone,
            "In small windows such a series has few components; those whose eigenvalues noise alone would have are dropped.",
            "The bias that noise gives the mean of weak magnitudes is left as it is.",
        ),
    )


def _why_nordic(known: Set[str]) -> tuple[str, ...]:
    """How the noise of a series comes to be known, and what follows."""
    if "noise" in known:
        level = "Its noise is given, or known from noise-only volumes"
    elif "sigma" in known:
        level = "The level of its noise is given" + (", and so is how it varies in space" if "gfactor" in known else "")
    else:
        level = (
            "Its noise is measured place by place"
            if "gfactor" not in known
            else "How its noise varies in space is given"
        )
    together = (
        "Magnitude and phase are taken together: noise is Gaussian there, and the bias that it gives magnitudes goes with it."
        if "phase" in known
        else "Without its phase the noise is Rician: it is stabilized before, and the bias that it gives the "
        "mean is taken out afterwards."
    )
    return (
        f"{level}, so components of small patches that such noise alone would have are dropped, and the others shrunk for the "
        "least error.",
        together,
    )


def obstacle_to_learning(found: SequenceFingerprint) -> str:
    """Say in a sentence why this run cannot be learned from; empty where it can."""
    frames, rows, columns = found.shape
    if frames < _FEWEST_FRAMES:
        return f"The run has {counted(frames, 'frame')}; learning from it needs {_FEWEST_FRAMES}."
    if min(rows, columns) < _SMALLEST_SIDE:
        return f"The frames have {rows} x {columns} pixels; learning needs {_SMALLEST_SIDE} x {_SMALLEST_SIDE}."
    if not np.isfinite(found.held):
        return "Whether frames share noise is not known, so they cannot teach a network what is noise."
    if found.held > MOST_HELD:
        return f"Successive frames share {100 * found.held:.0f} % of their noise, which a network would take for the image."
    return ""


def is_short(found: SequenceFingerprint) -> bool:
    """True for a run that can be learned from, but holds so little that filters are often better."""
    return found.shape[0] < _ENOUGH_FRAMES


def findings(fingerprint: SequenceFingerprint) -> tuple[str, ...]:
    """What was measured and what follows from it, in sentences."""
    if fingerprint.modality == "MR":
        return _of_volumes(fingerprint)
    sentences = (_of_frames(fingerprint), _of_signal(fingerprint), _of_pixels(fingerprint), _of_motion(fingerprint))
    return tuple(sentence for sentence in sentences if sentence)


def _of_volumes(found: SequenceFingerprint) -> tuple[str, ...]:
    """Plan for a series of MR volumes, whose contrast may change from one to the next: so nothing is averaged over time."""
    if not np.isfinite(found.held):
        return ()
    if found.held <= INDEPENDENT:
        return (f"The noise of successive volumes is independent (correlation {found.held:.2f}).",)
    return (f"Successive volumes share {100 * found.held:.0f} % of their noise, or of what changes slowly.",)


def _of_frames(found: SequenceFingerprint) -> str:
    if not np.isfinite(found.held):
        return "Whether successive frames share noise cannot be measured: there are too few frames, or nothing stands still."
    if found.held <= INDEPENDENT:
        if found.lag > INDEPENDENT:
            return (
                f"The noise of successive frames is almost independent (correlation {found.held:.2f}), although the detector "
                f"holds about {100 * found.lag:.0f} % of the signal over to the next frame: the rest is noise of the electronics."
            )
        return f"The noise of successive frames is independent (correlation {found.held:.2f}): averaging over time works in full."
    share = 100 * found.held
    if found.owner == "image":
        return (
            f"Successive frames share {share:.0f} % of their noise, and it moves with the image: the frames seem to have been "
            "shifted after they were taken (stabilized, cut out). Lag is not undone: it lies elsewhere in the previous frame."
        )
    if found.held > 0.25:
        return (
            f"Each frame hands {share:.0f} % of its noise on to the next: the camera seems to filter already, with a weight of "
            f"about {1 - found.held:.2f}. Filtering over time gains less, and differences of frames under-read the noise."
        )
    lag = f"a lag of about {100 * found.lag:.0f} % in" if np.isfinite(found.lag) else "lag in"
    return f"Each frame hands {share:.0f} % of its noise on to the next ({lag} the detector), so filtering over time gains less."


def _lag_undone(found: SequenceFingerprint, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What is done about lag, in a sentence, where something is."""
    lag = lag_to_undo(found)
    if not lag:
        return ()
    if not settings.get("correct_lag", True):
        return (f"That was left in, as asked: {100 * lag:.0f} % of each frame stays in the next.",)
    louder = freed(found.curve, lag, found.held).level / found.curve.level - 1
    return (
        f"That is undone first, x_t becoming (x_t - {lag:.2f} x_(t-1)) / {1 - lag:.2f}: nothing of the frame before is left, "
        f"and a frame's noise grows by {100 * louder:.0f} % before it is filtered.",
    )


def _of_signal(found: SequenceFingerprint) -> str:
    curve = found.curve
    low, high = float(curve.deviation[0]), float(curve.deviation[-1])
    if curve.signal.size < 2:
        return ""
    if curve.misfit < 0.2 and curve.gain > 0:
        return (
            f"The noise grows from {low:.3g} in the dark to {high:.3g} in the bright as quantum noise does (variance "
            f"{curve.gain:.3g} x signal {curve.offset:+.3g}); thresholds follow it."
        )
    kind = "falls" if high < low else "grows"
    return (
        f"The noise {kind} from {low:.3g} in the dark to {high:.3g} in the bright, but not as quantum noise on a linear scale: "
        "the images seem to be processed (logarithm, gamma). Thresholds follow the measured curve."
    )


def _of_pixels(found: SequenceFingerprint) -> str:
    across = float(found.spatial_correlation[0, 1] + found.spatial_correlation[1, 0]) / 2
    if not np.isfinite(across) or across < INDEPENDENT:
        return ""
    return f"Neighboring pixels share noise (correlation {across:.2f}), as a scintillator's blur makes them."


def _of_motion(found: SequenceFingerprint) -> str:
    if found.pan >= PANNING:
        return (
            f"The whole image moves by about {found.pan:.1f} pixels per frame, and its noise was measured on aligned "
            "frames. A filter over time has to let go of what moves; within a frame pixels can be averaged as usual."
        )
    if found.moving_share > 0.03:
        return f"Something moves in {100 * found.moving_share:.0f} % of the image; what moves must not leave a trail."
    return "Hardly anything moves."
