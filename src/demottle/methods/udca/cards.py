"""Card of the student that learns from the frames of a run. Imports no torch."""

from demottle.methods.card import MethodInfo

CARDS = (
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
)
