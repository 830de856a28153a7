"""Card of the filter of MR series by their principal components. Imports no torch."""

from demottle.methods.card import Contract, MethodInfo

CARDS = (
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
        contract=Contract(at_once={"demottle.methods.low_rank.sweep._AT_ONCE": 500}),
    ),
)
