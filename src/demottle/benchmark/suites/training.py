"""Networks that a suite trains once and keeps in its cache, so that a stopped run goes on without training again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from demottle.benchmark.suites.cases import Case
from demottle.benchmark.suites.unpaired_cohort import mark_of
from demottle.io.output import staged
from demottle.methods import Denoiser, load
from demottle.methods.registry import method


def trained_once(cache: Path, name: str, made: Callable[[], Denoiser]) -> Denoiser:
    """Return the network of that name; trained by `made` where the cache has none."""
    path = cache / f"{name}.safetensors"
    if not path.exists():
        trained = made()
        with staged(path, overwrite=True) as place:
            trained.save(place)
    return load(path)


def trained_small(method_name: str, changes: Mapping[str, Any], case: Case, cache: Path, variant: str = "") -> Denoiser:
    """Return a method's network, preset `small` with changes, trained on the cohort of a case.

    The case's recipe gives the learning seed (`learning_seed`), and with size and noise the name in the cache.
    """
    info, recipe = method(method_name), case.spec.recipe
    module = info.load()
    settings = module.Settings(**{**module.PRESETS["small"], **changes})
    seed = recipe["learning_seed"]

    def made() -> Denoiser:
        assert case.sets is not None
        trained: Denoiser = module.train(case.sets(info.needs_pairs(settings)), settings, seed=seed)
        return trained

    return trained_once(
        cache, f"{variant or method_name}-{recipe['size']}-{recipe['low']:g}-{seed}{mark_of(recipe)}", made
    )
