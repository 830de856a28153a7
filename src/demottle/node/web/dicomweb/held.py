"""What the node holds, for QIDO-RS and WADO-RS: objects as they came, and results, by study, series and object."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException

from demottle.node.network.keeping import is_uid
from demottle.node.web.headers import described
from demottle.node.web.site import Site


@dataclass(frozen=True)
class Held:
    """An object: its UIDs, its transfer syntax, and where it lies."""

    study: str
    series: str
    uid: str
    syntax: str
    file: Path


def held(site: Site, study: str | None = None, series: str | None = None, uid: str | None = None) -> Iterator[Held]:
    """Yield objects, those that came first, then results; only of a study, a series or with a UID where these are given.

    Raises:
        HTTPException: 400, one of them is not a UID.
    """
    for given in (study, series, uid):
        if given is not None and not is_uid(given):
            raise HTTPException(400, "The address holds something that is not a UID.")
    came = (
        "SELECT s.study, s.uid AS series, i.uid, i.syntax, i.file FROM instance i JOIN series s ON s.id = i.series "
        "WHERE s.study = COALESCE(?, s.study) AND s.uid = COALESCE(?, s.uid) AND i.uid = COALESCE(?, i.uid) ORDER BY i.id"
    )
    for row in site.queue.rows(came, study, series, uid):
        yield Held(row["study"], row["series"], row["uid"], row["syntax"], site.told.folder / row["file"])
    made = (
        "SELECT s.study, t.uid, t.syntax, t.file FROM result t JOIN round r ON r.id = t.round JOIN series s ON s.id = r.series "
        "WHERE s.purged IS NULL AND s.study = COALESCE(?, s.study) AND t.uid = COALESCE(?, t.uid) ORDER BY t.id"
    )
    for row in site.queue.rows(made, study, uid):
        file = site.told.folder / row["file"]
        found = described(file).get("SeriesInstanceUID")
        if found is not None and series in (None, found):
            yield Held(row["study"], found, row["uid"], row["syntax"], file)
