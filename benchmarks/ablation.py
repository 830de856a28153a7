"""What one setting is worth: the default method on some slices of a case, with settings changed, judged against the truth.

    python -m benchmarks.ablation abdomen:0.12 --slices 20:44 --set structured_share=0 --set structured_share=0.5

Every `--set` is one run (several settings joined by commas). `--targets` replaces what the network learns from, to find out
what separates it from clean targets: `clean` (the truth), `twin` (the same slices with independent noise: perfect neighbors),
`neighbors` (the method's own). Lines are appended to benchmark-results/ablation.jsonl. Needs DEMOTTLE_REAL_DATA.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.__main__ import judge, line, with_discs
from benchmarks.cases import load_case
from benchmarks.upper_bound import clean_targets
from demottle.pipeline.run import denoise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", help="like abdomen:0.12")
    parser.add_argument("--slices", default="20:44", help="FIRST:LAST, the last not included")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NAME=VALUE[,NAME=VALUE]")
    parser.add_argument("--targets", default="neighbors", choices=["neighbors", "twin", "clean"])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="of noise")
    parser.add_argument("--learning-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/ablation.jsonl"))
    options = parser.parse_args()
    anatomy, rho = options.case.split(":")
    first, last = (int(n) for n in options.slices.split(":"))
    chosen = slice(first, last)
    case, discs = with_discs(load_case(anatomy, float(rho), seed=options.seed, slices=chosen))
    twin = load_case(anatomy, 0.0, seed=options.seed + 1, slices=chosen) if options.targets == "twin" else None
    print(line("input", judge(case, case.noisy, discs)), flush=True)
    for text in options.sets or [""]:
        settings = {k: json.loads(v) for k, v in (part.split("=") for part in text.split(",") if part)}
        started = time.monotonic()
        if options.targets == "neighbors":
            image = denoise(
                case.noisy,
                method="matched-neighbors",
                settings=settings,
                steps=options.steps,
                seed=options.learning_seed,
            ).image
        else:
            noise = None if twin is None else twin.noisy.voxels - twin.truth.voxels
            image = clean_targets(case, options.steps, options.learning_seed, noise, settings)
        outcome = replace(judge(case, image, discs), seconds=time.monotonic() - started, steps=options.steps)
        print(line(text or options.targets, outcome), flush=True)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with options.out.open("a") as log:
            log.write(
                json.dumps({"arguments": {**vars(options), "out": None}, "settings": settings, **vars(outcome)}) + "\n"
            )


if __name__ == "__main__":
    main()
