"""What settings and facts of a run are called on the page, and in which unit."""

from collections.abc import Mapping

Named = tuple[str, str]  # name for a reader, unit
METHOD: Mapping[str, Named] = {
    "method": ("method", ""),
    "strength": ("strength (1: all noise found)", ""),
    "seed": ("seed of random draws", ""),
    "version": ("demottle version", ""),
    "model_hash": ("model", ""),
    "device": ("computed on", ""),
}
SOURCE: Mapping[str, Named] = {
    "format": ("format of the scan", ""),
    "modality": ("modality", ""),
    "kernel": ("reconstruction kernel", ""),
    "kvp": ("tube voltage", "kV"),
    "manufacturer": ("manufacturer", ""),
    "model": ("scanner", ""),
    "slice_thickness": ("slice thickness", "mm"),
}
SETTINGS: Mapping[str, Named] = {
    "reach": ("neighbors used on each side", ""),
    "decorrelate": ("targets corrected for shared noise", ""),
    "use_mask": ("only matched tissue compared", ""),
    "tolerance": ("tolerance of matching", ""),  # HU in one method, multiples of the noise in another
    "guide": ("guide of matching", ""),
    "guide_sigma": ("smoothing of the guide", "pixels"),
    "recorruption": ("recorruption: noise added where nothing matches", "× local noise"),
    "recorrupted_share": ("recorrupted patches", "%"),
    "surely_matched": ("a neighbor is the better target up to", "× local noise"),
    "structured_share": ("patches with random structures added", "%"),
    "consistency": ("weight of regional consistency", ""),
    "continuity": ("weight of continuity between slices", ""),
    "outlier": ("errors bounded beyond", "standard deviations"),
    "window": ("window of the filter", "pixels"),
    "threshold": ("significance of a frequency", "standard deviations"),
    "channels": ("channels of the network", ""),
    "patch": ("patch", "pixels"),
    "batch": ("patches per step", ""),
    "rate": ("learning rate", ""),
    "slices": ("slices seen at once", ""),
    "start": ("begins with the weights that come with demottle", ""),
    "start_kept": ("share of those weights in the network used", "%"),
    "early_stop": ("stops when learning no longer pays", ""),
    "size": ("size of the networks", ""),
    "student": ("network that is applied", ""),
    "uns": ("weight of the teacher's frame as target", ""),
    "cns": ("weight of the average of frames around as target", ""),
    "recursion": ("weight of a new frame in that average", ""),
    "memory": ("weight of a new frame in the network's memory", ""),
    "motion_compensation": ("frames brought onto one another before they are averaged", ""),
    "hide_frame": ("frame left out of its own average", ""),
    "fusion": ("which target counts where something moves (cross-fusion matrix)", ""),
    "edges": ("weight of the loss that keeps edges", ""),
    "penalty": ("errors count as", ""),
    "own": ("noise added where the frame is its own target", "× its own"),
    "own_share": ("patches in which it is", "%"),
    "correct_lag": ("lag undone where it is measured", ""),
    "weight": ("weight of a new frame where nothing moves", ""),
    "warm_up": ("begins as a plain mean", ""),
    "low": ("a change is noise up to", "standard deviations"),
    "high": ("a change is motion from", "standard deviations"),
    "frames": ("frames averaged", ""),
    "centered": ("as many frames after as before", ""),
    "within": ("pixels count as similar within", "standard deviations"),
}
WORDS: Mapping[tuple[str, str], str] = {
    ("student", "auto"): "as suits the machine",
    ("student", "causal"): "a light one that remembers the frames before",
    ("student", "single"): "one that sees the frame alone",
    ("size", "auto"): "as suits the machine",
    ("size", "paper"): "those of the paper",
    ("fusion", "noise"): "by motion in units of the noise",
    ("fusion", "released"): "as in the authors' release",
    ("fusion", "none"): "none",
    ("penalty", "square"): "squares, linear for outliers",
    ("penalty", "absolute"): "absolute values",
}
"""Values of settings that are words, as a reader would say them."""
LEARNED: Mapping[str, Named] = {
    "steps": ("steps learned", ""),
    "ended": ("learning ended", ""),
    "loss_first": ("loss at the beginning", "× noise variance"),
    "loss_last": ("loss at the end", "× noise variance"),
    "matched_share_of_body": ("body with a matching neighbor", "%"),
    "white_noise_assumed": ("noise taken as white", ""),
    "size": ("size of the networks", ""),
    "student": ("network that is applied", ""),
    "runs": ("runs learned from", ""),
    "matched_share": ("part of the frames where the average of those around can be believed", "%"),
    "lag": ("lag undone before anything else", "% of a frame"),
    "teacher_steps": ("steps the teacher learned", ""),
    "teacher_ended": ("its learning ended", ""),
    "teacher_loss_first": ("its loss at the beginning", "× noise variance"),
    "teacher_loss_last": ("its loss at the end", "× noise variance"),
}
LIVE: Mapping[str, Named] = {
    "delay_frames": ("delay of the live form", "frames"),
    "ms_per_frame": ("work on a frame", "ms"),
}
FUSION: Mapping[str, Named] = {
    "fuse": ("neighbors have a say in the result where they agree", ""),
    "weights": ("weight of neighbors, nearest first", ""),
    "gain": ("squared error saved by that", "%"),
}
