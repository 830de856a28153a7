"""The documentation builds as a site, without a broken link, and the site fetches nothing from anywhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from demottle.methods.registry import OWN

ROOT = Path(__file__).parents[2]
pytest.importorskip("mkdocs_autorefs", reason="the site needs the extra docs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stderr
    return folder


class _Fetched(HTMLParser):
    """What a browser fetches on its own to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        wanted = {"script": "src", "link": "href", "img": "src", "iframe": "src"}.get(tag)
        if wanted and named.get(wanted) and named.get("rel") != "canonical":
            self.addresses.append(str(named[wanted]))


def test_a_reader_of_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        parser = _Fetched()
        parser.feed(page.read_text())
        assert parser.addresses
        assert [address for address in parser.addresses if re.match(r"(https?:)?//", address)] == [], page.name


def test_every_method_has_its_page_and_is_listed(site: Path) -> None:
    page = (site / "methods" / "index.html").read_text()
    overview = page[page.index("<article") : page.index("</article>")]  # the sidebar lists every page
    for name in (card.name for card in OWN):
        assert (site / "methods" / f"{name}.html").exists()
        assert f'href="{name}.html"' in overview


def test_the_reference_shows_the_public_functions_with_their_arguments(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "api" / "denoising.html").read_text())
    for wanted in ("denoise", "strength", "makes the result repeatable", "Denoiser"):
        assert wanted in text
