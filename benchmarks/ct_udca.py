"""udca on a stack of CT slices, the paper's second experiment, beside NS-N2N and the default, in one run.

    python -m benchmarks.ct_udca --quick
    DEMOTTLE_REAL_DATA=FOLDER python -m benchmarks.ct_udca --cases abdomen:0.12 --seeds 3
    python -m benchmarks.ct_udca --packed CASE.npz --seconds 120

The case "abdomen" is the main benchmark's (`benchmarks.cases`): a quarter of the dose, simulated in the projections, against
a truth; needs the public scans. A packed case is what `benchmarks.packed_case` wrote; its noise is one realization, and seeds
are of learning. PSNR over -160 to 240 HU, RMSE unclipped, both in the body; recovery and f50 are of discs of 35 HU. Every row
is a line of the file as soon as it is known, and is not computed again; the table is of all rows asked for.
"""

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.__main__ import judge, line, with_discs
from benchmarks.cases import Case, load_case
from benchmarks.packed_case import chosen, unpacked
from demottle.pipeline.run import denoise

METHODS = ("udca", "ns-n2n", "matched-neighbors")
KEY = ("case", "seed", "slices", "steps", "name")


def main() -> None:
    options = parsed()
    rows = [json.loads(text) for text in options.out.read_text().splitlines()] if options.out.exists() else []
    options.out.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + options.seconds
    wanted = []
    for seed in range(options.seeds):
        for case in options.cases:
            facts = {"case": case, "seed": seed, "slices": options.slices, "steps": options.steps}
            asked = [{**facts, "name": name} for name in ("input", *options.methods)]
            wanted += asked
            open_ = [row for row in asked if not any(same(row, other) for other in rows)]
            rows += run(open_, options, until) if open_ else []
    print("\n" + table([row for row in rows if any(same(row, other) for other in wanted)]))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the phantom, eight slices, 10 steps: no scans needed")
    parser.add_argument("--cases", nargs="+", default=["abdomen:0.12"], help="CASE:RHO")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--seeds", type=int, default=1, help="how many: 0, 1, ...; of noise and learning")
    parser.add_argument("--slices", default=":", help="FIRST:LAST, the last not included; without, all")
    parser.add_argument("--steps", type=int, default=None, help="of learning; without, what each method takes")
    parser.add_argument("--packed", type=Path, default=None, help="a packed case, in the place of --cases")
    parser.add_argument("--size", choices=("light", "paper"), default=None, help="of udca; without, its own choice")
    parser.add_argument("--uns", type=float, default=None, help="weight of udca's teacher; without, its default")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which nothing more is begun")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results/ct-udca.jsonl"), help="JSON lines")
    options = parser.parse_args()
    if options.quick:
        options.cases, options.slices, options.steps = ["phantom:0.12"], "8:16", 10
    if options.packed is not None:
        options.cases = [f"{options.packed.stem}:packed"]
    return options


def same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """True where two rows are of one case and method, seed and length."""
    return all(row[name] == other[name] for name in KEY)


def run(open_: list[dict[str, Any]], options: argparse.Namespace, until: float) -> list[dict[str, Any]]:
    """Run what is missing of a case; each row is written as soon as it is known."""
    case, discs = with_discs(opened(open_[0], options.packed))
    print(case.description, flush=True)
    rows = []
    for facts in open_:
        if time.monotonic() > until:
            print(f"No time left for {facts['name']}, seed {facts['seed']}.", flush=True)
            continue
        begun, cpu = time.monotonic(), time.process_time()
        image, steps = denoised(case, facts, options)
        spent = {"seconds": round(time.monotonic() - begun, 1), "cpu_seconds": round(time.process_time() - cpu, 1)}
        outcome = replace(judge(case, image, discs), seconds=spent["seconds"], steps=steps)
        print(line(facts["name"], outcome), flush=True)
        rows.append({**asdict(outcome), "learned_steps": steps, **spent, **facts})
        with options.out.open("a") as log:
            log.write(json.dumps(rows[-1]) + "\n")
    return rows


def opened(facts: dict[str, Any], packed: Path | None) -> Case:
    """The case, packed or made."""
    if packed is not None:
        return unpacked(packed)
    anatomy, rho = facts["case"].split(":")
    return load_case(anatomy, float(rho), seed=facts["seed"], slices=chosen(facts["slices"]))


def denoised(case: Case, facts: dict[str, Any], options: argparse.Namespace) -> tuple[Any, int | None]:
    """The result, and the steps that were learned."""
    if facts["name"] == "input":
        return case.noisy, None
    changes = {"size": options.size, "uns": options.uns} if facts["name"] == "udca" else {}
    changes = {name: value for name, value in changes.items() if value is not None}
    result = denoise(case.noisy, method=facts["name"], settings=changes, seed=facts["seed"], steps=facts["steps"])
    return result.image, result.denoiser.fitted.get("steps")


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: mean over seeds, with the spread where there are several."""
    lines = [
        "| case | method | seeds | PSNR (dB) | RMSE (HU) | recovery | f50 | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, name in dict.fromkeys((row["case"], row["name"]) for row in rows):
        here = [row for row in rows if (row["case"], row["name"]) == (case, name)]
        figures = [
            _told([row[key] for row in here], digits)
            for key, digits in (("psnr", 2), ("rmse", 2), ("recovery", 3), ("f50", 3), ("seconds", 0))
        ]
        lines.append(f"| {case} | {name} | {len(here)} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def _told(values: list[float | None], digits: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    spread = f" ± {np.std(known, ddof=1):.{digits}f}" if len(known) > 1 else ""
    return f"{np.mean(known):.{digits}f}{spread}"


if __name__ == "__main__":
    main()
