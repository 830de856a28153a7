"""What the documentation gives to SLURM and Kubernetes is at least well-formed, and Ray knows the options that it names."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/archive.md").read_text(encoding="utf-8")


def recipe(title: str) -> str:
    """The first block of a section."""
    found = re.search(rf"^### {title}\n.*?^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_for_slurm_is_one() -> None:
    done = subprocess.run(["bash", "-n"], input=recipe("SLURM"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_file_for_kubernetes_names_what_it_mounts() -> None:
    yaml = pytest.importorskip("yaml")
    spec = yaml.safe_load(recipe("Kubernetes"))["spec"]["rayClusterSpec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        mounted = {one["name"] for container in pod["containers"] for one in container["volumeMounts"]}
        assert mounted == {one["name"] for one in pod["volumes"]}


def test_ray_knows_the_options_that_are_named() -> None:
    scripts = pytest.importorskip("ray.scripts.scripts")
    known = {name for option in scripts.start.params for name in option.opts}
    lines = [line for line in PAGE.splitlines() if "ray start --" in line]
    named = {option for line in lines for option in re.findall(r"(--[a-z-]+)", line.partition("ray start ")[2])}
    assert len(lines) >= 5 and named >= {"--head", "--block"} and named <= known
