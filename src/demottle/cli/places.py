"""Where the results of one scan go, and how they get there whole or not at all.

The scan itself is all that goes to OUT, so that OUT can be sent to a PACS as it is; the page and `run.json` go beside it.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demottle.io.formats import DICOM, FORMATS, stem_of

_NAME_BYTES = 255  # the most that the usual file systems take


@dataclass(frozen=True)
class Places:
    """Final names: the denoised scan, its page and its record (None: not wanted).

    `aside`: where these go if the result fails the gate; None: nowhere. `extras`: other files that belong to the result, by what
    they are called to a user.
    """

    output: Path
    page: Path | None = None
    record: Path | None = None
    model: Path | None = None
    aside: "Places | None" = None
    extras: Mapping[str, Path] = field(default_factory=dict)

    @property
    def named(self) -> tuple[Path | None, ...]:
        """All of them."""
        return self.output, self.page, self.record, self.model, *self.extras.values()

    def refuse_existing(self) -> None:
        """Raise OutputError if any of the names is taken: before the work, not after it."""
        from demottle.io.output import refuse_existing

        refuse_existing(self.named)

    def refuse_inputs(self, inputs: Iterable[Path | None]) -> None:
        """Raise OutputError if any of the names is given twice, or is that of a file which is read, or in its folder."""
        from demottle.io.output import refuse_inputs, refuse_same_name

        refuse_same_name(self.named)
        refuse_inputs(self.named, inputs)

    def clear_leftovers(self) -> None:
        """Remove what a killed run of the same results left beside them, and put back what it had moved aside."""
        from demottle.io.workplace import remove_leftovers

        for final in self.named:
            if final is not None:
                remove_leftovers(final)

    @contextmanager
    def publishing(self, overwrite: bool) -> Iterator["Places"]:
        """Yield places to write to; all results take their names together when the block ends well, or none does.

        Raises:
            OutputError: a name is taken and `overwrite` is False.
        """
        from demottle.io.output import publishing

        with publishing(self.named, overwrite=overwrite) as at:
            page, record, model = (path and at[path] for path in (self.page, self.record, self.model))
            extras = {name: at[path] for name, path in self.extras.items()}
            yield Places(at[self.output], page, record, model, extras=extras)

    def refuse_unwritable(self) -> None:
        """Raise OutputError if one of the names cannot be written: before the work as well."""
        from demottle.io.output import refuse_unwritable

        for folder in dict.fromkeys(path.absolute().parent for path in self.named if path is not None):
            refuse_unwritable(folder)


def name_in_batch(scan: Path, root: Path, wanted: str | None) -> Path:
    """What one scan of a folder is called in OUT: as it was called, with the ending of the format asked for."""
    name = scan.relative_to(root)
    if wanted is None and scan.suffix.lower() != ".zip":
        return name
    return name.with_name(stem_of(name) + FORMATS.get(wanted or "dicom", DICOM).default_suffix)


def beside(output: Path) -> Path:
    """The folder for the page and the record of `output`: OUT-report."""
    named = output if output.name not in ("", "..") else output.resolve()
    return named.parent / extended(stem_of(named), "-report")


def extended(stem: str, ending: str) -> str:
    """Return a name with an ending, the stem cut where file systems would refuse the whole; a hash keeps long names apart."""
    name = os.fsencode(stem)
    room = _NAME_BYTES - len(os.fsencode(ending))
    if len(name) <= room:
        return stem + ending
    mark = f"-{hashlib.sha256(name).hexdigest()[:8]}"
    return name[: room - len(mark)].decode(errors="ignore") + mark + ending


def places_for(output: Path, report: Path | None, page: bool = True, model: Path | None = None) -> Places:
    """Work out the final names for one scan.

    Args:
        output: where the denoised scan goes.
        report: a page's name (ending in .html, `run.json` becomes NAME.json beside it) or a folder; None: OUT-report.
        page: False for neither page nor record.
        model: where the fitted network goes, if anywhere.
    """
    if not page:
        return Places(output, model=model)
    if report is not None and report.suffix.lower() in (".html", ".htm"):
        return Places(output, report, report.with_suffix(".json"), model)
    folder = report or beside(output)
    return Places(output, folder / "report.html", folder / "run.json", model)
