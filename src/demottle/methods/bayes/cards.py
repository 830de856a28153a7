"""Cards of the methods that estimate small cubes from cubes that look like them. Imports no torch."""

from demottle.methods.card import Contract, MethodInfo

_AT_ONCE = {"demottle.methods.bayes.sliding_dct._SLAB": 3, "demottle.methods.bayes.group_estimate._AT_ONCE": 50}

CARDS = (
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
        contract=Contract(quick={"step": 5}, wrong={"similar": 0}, at_once=_AT_ONCE),
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
        contract=Contract(
            quick={"patch": 64},
            at_once={**_AT_ONCE, "demottle.methods.bayes.guided_bayes._SLAB": 3},
        ),
    ),
)
