"""`demottle node check`: what would be done with each series of a folder, before anything is done."""

import json
from pathlib import Path

from tests.cli.conftest import demottle  # noqa: F401
from tests.io.conftest import save
from tests.node.conftest import TOML, noisy_series

from demottle import io
from demottle.image import ProcessingStep

WHEN = 'name = "all"\nwhen = {{ kernel = "br*" }}\n'


def test_each_series_is_told_which_rule_it_meets(demottle, tmp_path: Path) -> None:  # noqa: F811
    config = tmp_path / "node.toml"
    config.write_text(TOML.replace('name = "all"\n', WHEN).format(port=0, quiet=1, pacs=1))
    for number, kernel in (("1", "Br40"), ("2", "Hr60")):
        for at, one in enumerate(noisy_series(number, 3, ConvolutionKernel=kernel)):
            save(one, tmp_path / "scans" / number / f"{at}.dcm")
    image = io.read(tmp_path / "scans" / "1")
    io.write(image.with_voxels(image.voxels + 1, ProcessingStep("bilateral", "0.1.0")), tmp_path / "scans" / "own")
    (tmp_path / "scans" / "notes.txt").write_text("nothing")
    result = demottle("node", "check", config, tmp_path / "scans", "--json")
    assert result.exit_code == 0
    found = {one["facts"]["kernel"]: one for one in json.loads(result.stdout)["series"] if not one["facts"]["own"]}
    assert found["Br40"]["said"] == "meets 'all': gaussian; images to pacs" and found["Br40"]["files"] == 3
    assert found["Hr60"]["rule"] is None and "left alone" in found["Hr60"]["said"]
    told = demottle("node", "check", config, tmp_path / "scans").stdout
    assert "is demottle's own result" in told and told.count("left alone") == 2
    config.write_text("[node]\n")
    refused = demottle("node", "check", config)
    assert refused.exit_code == 2 and "'sender'" in refused.stderr and "Traceback" not in refused.output
    assert demottle("serve", config).exit_code == 2
