"""A headless chromium that is driven over a pipe, with the DevTools protocol: real keys, real wheels, real clicks.

Nothing beside the browser is needed: messages are JSON with a zero byte after each, in on descriptor 3 and out on 4.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30.0
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--mute-audio"),
    *(
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--remote-debugging-pipe",
    ),
)
needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")


class Chromium:
    """One page in one browser."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._gathered, self._number, self._session = b"", 0, ""
        self.said: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **given: Any) -> dict[str, Any]:
        number = self._tell(method, **given)
        while (found := self._read()).get("id") != number:
            self._heard(found)
        assert "error" not in found, (method, found)
        result: dict[str, Any] = found["result"]
        return result

    def _tell(self, method: str, **given: Any) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": given}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        return self._number

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._gathered:
            assert select.select([self._receive], [], [], PATIENCE)[0], ("the browser says nothing", self.said)
            came = os.read(self._receive, 1 << 16)
            assert came, "the browser ended"
            self._gathered += came
        one, _, self._gathered = self._gathered.partition(b"\0")
        found: dict[str, Any] = json.loads(one)
        return found

    def _heard(self, event: dict[str, Any]) -> None:
        """Keep what the page complains of: exceptions, and what its policy forbids."""
        if event.get("method") == "Runtime.exceptionThrown":
            self.said.append(str(event["params"]["exceptionDetails"].get("exception", {}).get("description")))
        elif event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            self.said.append(event["params"]["entry"]["text"])
        elif event.get("method") == "Page.javascriptDialogOpening":
            self._tell("Page.handleJavaScriptDialog", accept=True)

    def size(self, width: int, height: int, dark: bool = False) -> None:
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)

    def open(self, address: str) -> None:
        """Open an address, and wait until its scripts have run."""
        self._call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is; promises are waited for."""
        found = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true, and return it."""
        end = time.monotonic() + PATIENCE
        while not (found := self.value(f"(() => {{ try {{ return {script}; }} catch {{ return null; }} }})()")):
            assert time.monotonic() < end, (script, self.said, self.value("document.body.innerText"))
            time.sleep(0.03)
        return found

    def text(self, selector: str) -> str:
        """The text of an element that is waited for."""
        return str(self.until(f"document.querySelector({json.dumps(selector)})?.textContent"))

    def middle(self, selector: str) -> tuple[float, float]:
        script = f"document.querySelector({json.dumps(selector)})"
        box = self.until(
            f"(() => {{ const e = {script}; e.scrollIntoView({{ block: 'nearest' }}); const b = e.getBoundingClientRect(); "
            "return b.width ? { x: b.x + b.width / 2, y: b.y + b.height / 2 } : null; })()"
        )
        return box["x"], box["y"]

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector: str) -> None:
        x, y = self.middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def drag(self, selector: str, dx: float, dy: float) -> None:
        x, y = self.middle(selector)
        self.mouse("mousePressed", x, y, button="left", clickCount=1)
        self.mouse("mouseMoved", x + dx, y + dy, button="left", buttons=1)
        self.mouse("mouseReleased", x + dx, y + dy, button="left", clickCount=1)

    def wheel(self, selector: str, turns: int = 1) -> None:
        x, y = self.middle(selector)
        for _ in range(abs(turns)):
            self.mouse("mouseWheel", x, y, deltaX=0, deltaY=100 if turns > 0 else -100)
            time.sleep(0.05)

    def key(self, name: str) -> None:
        codes = {"ArrowDown": 40, "ArrowUp": 38, "Home": 36, "End": 35, "PageDown": 34, "Enter": 13}
        code = codes.get(name) or ord(name.upper())
        given = {"key": name, "windowsVirtualKeyCode": code}
        if len(name) == 1:
            given["text"] = name
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, **given)

    def write(self, selector: str, text: str) -> None:
        self.click(selector)
        self._call("Input.insertText", text=text)

    def picture(self, path: Path, whole: bool = False) -> None:
        found = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def chromium(profile: Path, *more: str) -> Iterator[Chromium]:
    """Run a browser while the block does."""
    (their_in, send), (receive, their_out) = os.pipe(), os.pipe()
    high = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (their_in, their_out)]
    silent = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, given, to) for given, to in ((silent, 1), (silent, 2), (high[0], 3), (high[1], 4))]
    command = ["chromium", *FLAGS, f"--user-data-dir={profile}", *more, "about:blank"]
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setsid=True)
    for one in (their_in, their_out, silent, *high):
        os.close(one)
    try:
        yield Chromium(send, receive)
    finally:
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(send)
        os.close(receive)
