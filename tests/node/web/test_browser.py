"""The dashboard in a real browser, under its own policy: log in, see the queue move, scroll, send again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.node.conftest import TOML, Pacs, noisy_series, send, until
from tests.node.web.chromium import Chromium, chromium, needs_chromium
from tests.node.web.conftest import PASSWORD, WEB, Browser, done_with

from demottle.node.completing import complete
from demottle.node.log import quiet_libraries
from demottle.node.service import running
from demottle.node.web.users import Role, save_user

SHOWN = "document.querySelector('.viewer').dataset.shown"
STATE = "#list td.how"


def log_in(page: Chromium, port: int, name: str) -> None:
    page.size(1300, 1000)
    page.open(f"http://127.0.0.1:{port}/")
    page.write("#name", name)
    page.write("#password", PASSWORD)
    page.click("#form button")
    page.until("document.querySelector('#line')?.textContent === 'live'")


def gray(values: Any, low: float, width: float) -> np.ndarray:
    return np.asarray(np.clip((values - low) / width * 255, 0, 255))


def shown(page: Chromium, pane: str, size: int = 48) -> np.ndarray:
    """The middle of each pixel of the image, as it is on the screen."""
    found = page.value(
        f"(() => {{ const c = document.querySelector('.pane.{pane} canvas'), n = {size}, s = Math.min(c.width, c.height) / n;"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "const x0 = (c.width - n * s) / 2, y0 = (c.height - n * s) / 2;"
        "return Array.from({ length: n * n }, (_, i) => "
        "d[4 * (Math.floor(y0 + (Math.floor(i / n) + .5) * s) * c.width + Math.floor(x0 + (i % n + .5) * s))]); })()"
    )
    return np.array(found).reshape(size, size)


@needs_chromium
def test_a_person_sees_a_series_move_scrolls_through_it_and_sends_it_again(browser: Browser, tmp_path: Path) -> None:
    scan = noisy_series(slices=20, NumberOfSeriesRelatedInstances="21", PixelSpacing=[0.7, 0.7])
    save_user(browser.told.folder, "anna", Role.TECHNOLOGIST, PASSWORD)
    with chromium(tmp_path / "profile") as page:
        log_in(page, browser.port, "anna")
        assert page.until("!document.querySelector('#empty').hidden")
        browser.store(scan)
        page.until(f"document.querySelector('{STATE}').textContent === 'receiving'")
        page.click("#list tr")
        page.until(f"{SHOWN} === '10'")
        assert page.text(".pane.after .message") == "Not made yet."
        browser.queue.rows("UPDATE series SET last = 0")
        assert complete(browser.told, browser.queue) == 1
        done_with(browser, scan)
        page.until(f"document.querySelector('{STATE}').textContent === 'sending'")
        page.until("document.querySelector('.viewer').dataset.result === '1'")
        _looks_through(page, scan)
        browser.queue.rows("UPDATE send SET state = 'arrived'")
        browser.queue.rows("UPDATE round SET state = 'done'")
        page.until("document.querySelector('#list td.sent').textContent === 'pacs: 20 of 20'")
        page.click("button[name=resend]")
        page.until("document.querySelector('.said').textContent === '20 objects are sent again.'")
        page.until("document.querySelector('#list td.sent').textContent === 'pacs: 0 of 20'")
        assert page.value(SHOWN) == "19"  # where it was
        assert not page.value("!!document.querySelector('button[name=purge]')")
        assert page.said == []


def _looks_through(page: Chromium, scan: list[Dataset]) -> None:
    values = [np.frombuffer(one.PixelData, "<u2").reshape(48, 48) - 1024.0 for one in scan]
    after = (values[10] + 1024) // 2 - 1024
    page.click(".choice button:nth-child(1)")
    page.until("document.querySelector('.choice [aria-pressed=true]').textContent === 'Soft tissue'")
    assert np.abs(shown(page, "before") - gray(values[10], -150, 400)).max() <= 1
    assert np.abs(shown(page, "after") - gray(after, -150, 400)).max() <= 1
    page.wheel(".pane.removed", 2)
    page.until(f"{SHOWN} === '12'")
    assert np.abs(shown(page, "before") - gray(values[12], -150, 400)).max() <= 1
    page.key("ArrowUp")
    page.until(f"{SHOWN} === '11'")
    page.key("3")
    assert page.text(".pane.before .window") == "center −600, width 1500 HU"
    page.drag(".pane.after", 40, -20)
    assert page.text(".pane.before .window") == "center −675, width 1650 HU"
    page.key("End")
    page.until(f"{SHOWN} === '19'")
    assert page.text(".pane.before .where") == "slice 20 of 20"


@needs_chromium
@pytest.mark.slow
def test_on_a_narrow_screen_pictures_and_reasons_are_there_and_links_lead_to_series(
    browser: Browser, tmp_path: Path
) -> None:
    for number in ("1", "2"):
        browser.store(noisy_series(number, slices=3, PatientID=f"P-{number}", AccessionNumber=f"A-{number}"))
    browser.queue.rows("UPDATE series SET last = 0")
    assert complete(browser.told, browser.queue) == 2
    browser.queue.rows("UPDATE round SET state = 'failed', reason = 'there is not enough memory for this series'")
    save_user(browser.told.folder, "anna", Role.TECHNOLOGIST, PASSWORD)
    with chromium(tmp_path / "profile") as page:
        log_in(page, browser.port, "anna")
        page.size(700, 1000)
        assert "P-2" in page.text("#list") and "A-1" in page.text("#list")
        box = "document.querySelector('#list .reason').getBoundingClientRect()"
        assert page.value(f"{box}.width") > 400 and page.value(f"{box}.right") <= 700
        page.value("location.hash = '#1'")
        page.until("document.querySelector('#one h2')?.textContent.startsWith('1:')")
        page.value("location.hash = '#2'")
        page.until("document.querySelector('#one h2').textContent.startsWith('2:')")
        page.until("document.querySelector('.viewer')?.dataset.shown === '1'")
        pane = "document.querySelector('.pane.before').getBoundingClientRect()"
        assert page.value(f"{pane}.width") > 300 and page.value(f"{pane}.height") > 300
        assert page.value("document.documentElement.scrollWidth") <= 700
        assert page.said == []


@needs_chromium
@pytest.mark.slow
def test_what_no_rule_knows_is_done_by_the_rule_that_a_person_chooses(browser: Browser, tmp_path: Path) -> None:
    browser.store(noisy_series(slices=3, NumberOfSeriesRelatedInstances="3"))
    assert complete(browser.told, browser.queue) == 1
    browser.queue.rows("UPDATE round SET rule = '', state = 'left', reason = 'meets no rule'")
    save_user(browser.told.folder, "pia", Role.PHYSICIST, PASSWORD)
    with chromium(tmp_path / "profile") as page:
        log_in(page, browser.port, "pia")
        page.click("#list tr")
        page.click("button[name=redo]")
        page.until("document.querySelector('.said').textContent.includes('choose the rule')")
        page.value("document.querySelector('select[aria-label=Rule]').value = 'all'")
        page.click("button[name=redo]")
        page.until(f"document.querySelector('{STATE}').textContent .startsWith('waiting')")
    row = browser.queue.row("SELECT rule FROM round ORDER BY number DESC LIMIT 1")
    assert row is not None and row["rule"] == "all"


@needs_chromium
@pytest.mark.slow
def test_of_three_hundred_slices_only_those_around_are_asked_for(browser: Browser, tmp_path: Path) -> None:
    scan = noisy_series(slices=300, size=12)
    for first in range(0, 300, 100):
        browser.store(scan[first : first + 100])
    save_user(browser.told.folder, "anna", Role.TECHNOLOGIST, PASSWORD)
    with chromium(tmp_path / "profile") as page:
        log_in(page, browser.port, "anna")
        page.click("#list tr")
        page.until(f"{SHOWN} === '150'")
        page.key("Home")
        page.until(f"{SHOWN} === '0'")
        page.click("button.play")
        page.until(f"Number({SHOWN}) > 4")
        page.click("button.play")
        asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/before')).length"
        assert 6 <= page.value(asked) < 60
        assert page.said == []


@needs_chromium
@pytest.mark.slow
def test_a_series_goes_from_the_scanner_to_the_archive_under_the_eyes_of_a_person(told, pacs, tmp_path: Path) -> None:
    quiet_libraries()
    archive: Pacs = pacs()
    configuration, file = told(WEB, text=TOML, pacs=archive.port)
    save_user(configuration.folder, "eva", Role.ADMIN, PASSWORD)
    with running(configuration, file) as service, chromium(tmp_path / "profile") as page:
        assert service.web is not None
        log_in(page, service.web.port, "eva")
        send(service.receiver.port, noisy_series(slices=6, NumberOfSeriesRelatedInstances="6"))
        until(lambda: len(archive.came) == 6, 60)
        page.until(f"document.querySelector('{STATE}').textContent === 'done'")
        page.click("#list tr")
        page.until("document.querySelector('.viewer')?.dataset.result === '1'")
        page.click("button[name=resend]")
        until(lambda: len(archive.came) == 12, 60)
        page.value("document.querySelector('select[aria-label=Method]').value = 'nl-bayes'")
        page.click("button[name=redo]")
        until(lambda: len(archive.came) == 18, 60)
        assert {str(one.SeriesDescription)[-19:] for one in archive.came[12:]} == {"[demottle nl-bayes]"}
        page.until("document.querySelector('select[aria-label=Result]')?.options.length === 2")
        page.click("button[name=purge]")
        page.until(
            "document.querySelector('.said').textContent === 'Objects and results are removed from this machine.'"
        )
        page.until("document.querySelector('#one').textContent.includes('no longer kept')")
    assert len(set(archive.uids())) == 12
    assert not list((configuration.folder / "objects").rglob("*.dcm"))
