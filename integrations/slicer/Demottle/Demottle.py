"""3D Slicer module: denoise a volume with the program demottle, and look at it beside the original."""

import shutil
import tempfile
from pathlib import Path

import qt
import slicer
from demottle_program import Progress, Run, Wishes, command_of, program_on_path
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

SETTING = "Demottle/program"
POLL_MS = 200


class Demottle(ScriptedLoadableModule):
    """What Slicer lists."""

    def __init__(self, parent):
        """Name the module."""
        super().__init__(parent)
        parent.title = "demottle"
        parent.categories = ["Filtering.Denoising"]
        parent.contributors = ["The demottle authors"]
        parent.helpText = (
            "Removes quantum mottle from CT, and noise from MR, learned from the scan itself. The program demottle has to be "
            "installed in an environment of its own; name its executable below. Research software, not for diagnosis."
        )
        parent.acknowledgementText = "Apache License 2.0."


class DemottleWidget(ScriptedLoadableModuleWidget):
    """The panel: volume, modality, strength, Apply."""

    def setup(self):
        """Build the panel."""
        super().setup()
        self.logic, self.run, self.progress = DemottleLogic(), None, None
        form = qt.QFormLayout()
        self.layout.addLayout(form)
        self.program = qt.QLineEdit(qt.QSettings().value(SETTING) or program_on_path())
        self.program.placeholderText = "/path/to/environment/bin/demottle"
        form.addRow("Program", self.program)
        self.volume = slicer.qMRMLNodeComboBox()
        self.volume.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        self.volume.addEnabled = self.volume.removeEnabled = False
        self.volume.setMRMLScene(slicer.mrmlScene)
        form.addRow("Volume", self.volume)
        self.modality = qt.QComboBox()
        self.modality.addItems(["CT", "MR"])
        form.addRow("Modality", self.modality)
        self.strength = slicer.qMRMLSliderWidget()
        self.strength.minimum, self.strength.maximum, self.strength.singleStep, self.strength.value = 0, 1, 0.05, 1
        form.addRow("Strength", self.strength)
        self.spots = qt.QCheckBox("Map of what was removed or added that is not noise (CT)")
        form.addRow(self.spots)
        self.apply = qt.QPushButton("Denoise")
        self.apply.connect("clicked()", self.on_apply)
        form.addRow(self.apply)
        self.bar = qt.QProgressBar()
        self.bar.setVisible(False)
        form.addRow(self.bar)
        self.told = qt.QLabel("")
        self.told.wordWrap = True
        self.told.openExternalLinks = True
        form.addRow(self.told)
        self.layout.addStretch(1)
        self.timer = qt.QTimer()
        self.timer.setInterval(POLL_MS)
        self.timer.connect("timeout()", self.on_timer)

    def cleanup(self):
        """Stop what runs when the module goes."""
        if self.run is not None:
            self.run.stop()

    def on_apply(self):
        """Start, or stop what runs."""
        if self.run is not None:
            self.run.stop()
            self.told.text = "Stopping ..."
            return
        node = self.volume.currentNode()
        if node is None:
            self.told.text = "Choose a volume first."
            return
        qt.QSettings().setValue(SETTING, self.program.text)
        wishes = Wishes(self.modality.currentText, self.strength.value, spot_map=self.spots.checked)
        try:
            self.run = self.logic.start(self.program.text, node, wishes, self.on_progress)
        except OSError:
            self.told.text = f"There is no program {self.program.text or '(none named)'}; name demottle's executable."
            return
        self.node, self.apply.text, self.told.text = node, "Stop", ""
        self.bar.setVisible(True)
        self.timer.start()

    def on_progress(self, progress: Progress) -> None:
        """Keep what the run's thread says; widgets belong to the main thread."""
        self.progress = progress

    def on_timer(self):
        """Show progress; at the end, the result."""
        if self.progress is not None:
            left = f", {self.progress.left} left" if self.progress.left else ""
            self.bar.setValue(self.progress.percent)
            self.bar.setFormat(f"{self.progress.stage} {self.progress.percent} %{left}")
        if not self.run.is_over:
            return
        self.timer.stop()
        outcome, self.run, self.progress = self.run.outcome(), None, None
        self.bar.setVisible(False)
        self.apply.text = "Denoise"
        self.told.text = self.logic.show(self.node, outcome)


class DemottleLogic(ScriptedLoadableModuleLogic):
    """Volumes out to files, results back beside the input."""

    def start(self, program, node, wishes, told):
        """Write the volume to a folder of its own and start demottle on it.

        Raises:
            OSError: there is no such program.
        """
        if shutil.which(program) is None:
            raise FileNotFoundError(program)
        self.folder = Path(tempfile.mkdtemp(prefix="demottle-slicer-", dir=slicer.app.temporaryPath))
        scan = self.folder / "scan.nrrd"
        if not slicer.util.exportNode(node, str(scan)):
            raise OSError(f"{scan} could not be written")
        return Run(command_of([program], scan, self.folder, wishes), self.folder, told)

    def show(self, node, outcome):
        """Load what came of it, with the input's window, over the input; return what to say."""
        if outcome.output is None:
            return outcome.error
        clean = slicer.util.loadVolume(str(outcome.output), {"name": f"{node.GetName()} denoised", "show": False})
        before, after = node.GetDisplayNode(), clean.GetDisplayNode()
        if before is not None and after is not None:
            after.AutoWindowLevelOff()
            after.SetWindowLevel(before.GetWindow(), before.GetLevel())
        slicer.util.setSliceViewerLayers(background=node, foreground=clean, foregroundOpacity=1.0)
        if outcome.spot_map is not None:
            slicer.util.loadVolume(str(outcome.spot_map), {"name": f"{node.GetName()} map", "show": False})
        told = "".join(f"<p>{warning}</p>" for warning in outcome.warnings)
        page = f'<p><a href="{outcome.page.as_uri()}">Page of the result</a></p>' if outcome.page is not None else ""
        return f"Done; the slider of the slice views fades between original and result.{told}{page}"


class DemottleTest(ScriptedLoadableModuleTest):
    """Slicer's own test: a small volume goes through, if the program is there."""

    def runTest(self):  # noqa: N802 - what Slicer calls
        """Denoise noise around a constant."""
        import numpy as np

        self.setUp()
        program = qt.QSettings().value(SETTING) or program_on_path()
        if not program:
            self.delayDisplay("demottle is not installed: nothing to test")
            return
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "noise")
        voxels = np.random.default_rng(0).normal(40, 20, (8, 96, 96)).astype(np.int16)
        slicer.util.updateVolumeFromArray(node, voxels)
        node.SetSpacing(0.8, 0.8, 3.0)
        logic = DemottleLogic()
        outcome = logic.start(program, node, Wishes("MR", method="gaussian"), lambda progress: None).outcome()
        logic.show(node, outcome)
        assert slicer.util.getNode("noise denoised") is not None, outcome.error
        self.delayDisplay("passed")
