"""The widget: choose a layer, denoise it, look at the result and what was removed, save it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QFileDialog, QFormLayout, QLabel, QProgressBar, QPushButton, QWidget

from demottle.errors import DemottleError
from demottle.image import Image
from demottle.methods.registry import METHODS
from demottle.napari.layers import image_of, layers_of
from demottle.napari.work import Asked, StoppedError, Work
from demottle.pipeline.preset import PRESETS
from demottle.pipeline.result import Result

if TYPE_CHECKING:
    import napari

_AUTO = "the scan decides"
_NONE = "none"
_AS_READ = "as read"
_EVERY = 100
"""Milliseconds between looks at how far it is."""


class DenoiseWidget(QWidget):  # type: ignore[misc]  # Qt is not there when types are checked
    """Denoises the chosen layer in a thread."""

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:
        """Show the choices; napari gives its window."""
        super().__init__()
        self._viewer = viewer
        self._work: Work | None = None
        self._result: Result | None = None
        self.layer, self.method, self.preset, self.modality = (QComboBox() for _ in range(4))
        self.method.addItems([_AUTO, *(name for name in METHODS if not METHODS[name].is_trained)])
        self.preset.addItems([_NONE, *PRESETS])
        self.modality.addItems([_AS_READ, "CT", "MR", "XA", "RF"])
        self.button, self.saving = QPushButton("Denoise"), QPushButton("Save ...")
        self.bar, self.told = QProgressBar(), QLabel()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY)
        self._timer.timeout.connect(self._look)
        for events in (viewer.layers.events.inserted, viewer.layers.events.removed):
            events.connect(self._layers)
        self._layers()

    def _lay_out(self) -> None:
        rows = QFormLayout(self)
        named = {"Layer": self.layer, "Method": self.method, "Preset": self.preset, "Modality": self.modality}
        for name, choice in named.items():
            rows.addRow(name, choice)
        for wide in (self.button, self.bar, self.told, self.saving):
            rows.addRow(wide)
        self.bar.setRange(0, 100)
        self.bar.hide()
        self.saving.setEnabled(False)
        self.told.setWordWrap(True)
        self.told.setText("Research software, not a medical device.")
        self.button.clicked.connect(self._pressed)
        self.saving.clicked.connect(self._ask_where)

    def _layers(self, event: Any = None) -> None:
        """Offer the image layers that there are now, and keep the choice where it still exists."""
        chosen = self.layer.currentText()
        self.layer.clear()
        self.layer.addItems([one.name for one in self._viewer.layers if type(one).__name__ == "Image"])
        self.layer.setCurrentIndex(max(0, self.layer.findText(chosen)))

    def _pressed(self) -> None:
        if self._work is not None:
            self._work.stop()
            self.button.setEnabled(False)
            return
        try:
            self.start()
        except DemottleError as error:
            self.told.setText(str(error))

    def start(self) -> None:
        """Begin to denoise the chosen layer.

        Raises:
            DemottleError: it cannot be used, or none is chosen.
        """
        name = self.layer.currentText()
        if not name:
            self.told.setText("Open a scan first: File, Open Folder.")
            return
        modality = None if self.modality.currentText() == _AS_READ else self.modality.currentText()
        method = None if self.method.currentText() == _AUTO else self.method.currentText()
        preset = None if self.preset.currentText() == _NONE else self.preset.currentText()
        self._work = Work(self._image(name, modality), Asked(method, preset))
        worker = create_worker(self._work.outcome, _start_thread=False)
        worker.returned.connect(lambda outcome: self._show(name, *outcome))
        worker.finished.connect(self._ended)
        self.button.setText("Stop")
        self.bar.show()
        self._timer.start()
        worker.start()

    def _image(self, name: str, modality: str | None) -> Image:
        layer = self._viewer.layers[name]
        return image_of(layer.data, tuple(layer.scale), layer.metadata, modality)

    def _look(self) -> None:
        if self._work is not None:
            self.told.setText(self._work.words)
            self.bar.setValue(round(100 * self._work.share))

    def _show(self, name: str, result: Result | None, error: Exception | None) -> None:
        if error is not None or result is None:
            self._failed(error)
            return
        self._result = result
        for data, told, _ in layers_of(result, name):
            self._viewer.add_image(data, **told)
        self.told.setText("\n".join([str(result), *result.record["warnings"]]))

    def _failed(self, error: Exception | None) -> None:
        if isinstance(error, StoppedError):
            self.told.setText("Stopped; nothing was changed.")
        elif isinstance(error, DemottleError):
            self.told.setText(str(error))
        else:
            self.told.setText(f"This is a bug in demottle ({type(error).__name__}: {error}); please report it.")

    def _ended(self) -> None:
        self._work = None
        self._timer.stop()
        self.bar.hide()
        self.button.setText("Denoise")
        self.button.setEnabled(True)
        self.saving.setEnabled(self._result is not None)

    def _ask_where(self) -> None:
        """Ask for a name, and save."""
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the denoised scan; without an ending a DICOM folder is made"
        )
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Save the last result with the headers of what was read, and its page beside it."""
        if self._result is None:
            return
        try:
            written = self._result.save(path)
            self._result.save_page(written.with_name(f"{written.name}.html"))
            self.told.setText(f"Saved in {written}, and its page in {written.name}.html.")
        except DemottleError as error:
            self.told.setText(str(error))

    def closeEvent(self, event: Any) -> None:  # noqa: N802  (Qt's name)
        """End what is going on; what it would have made is not shown."""
        if self._work is not None:
            self._work.stop()
        super().closeEvent(event)
