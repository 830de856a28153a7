"""A student of `udca` as an ONNX file: one frame and the memory in, one clean frame and the new memory out."""

import json
import logging
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import torch

from demottle import __version__
from demottle.errors import InputError
from demottle.io.output import staged
from demottle.methods.udca.sequence import SequenceNetwork

OPSET = 18
INPUTS, OUTPUTS = ("frame", "state", "spread"), ("clean", "next_state", "next_spread")
ERROR = 0.05
"""Most that ONNX Runtime's frames differ from PyTorch's, in noise deviations. Both in float32 it is below 0.001; half precision,
which PyTorch uses where the processor has it, makes the rest."""


def export(denoiser: SequenceNetwork, path: Path, rows: int, columns: int) -> Path:
    """Write a student for frames of one size.

    All inputs and outputs are float32 (1, 1, rows, columns), rows and columns rounded up to the student's multiple of 8 pixels
    (repeat the last ones). Before the first frame the state is that frame, and the spread 1. The file says the rest under the
    metadata `demottle`: rows, columns, lag to be undone, version.

    Raises:
        InputError: where the packages of the extra "onnx" are missing, or PyTorch fails.
        OutputError: where the file cannot be written.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 (torch needs it)
    except ImportError as error:
        raise InputError(
            'Writing ONNX needs more packages; install them with: pip install "demottle[onnx]".'
        ) from error
    student = denoiser.student
    down, right = (-(-side // student.multiple) * student.multiple for side in (rows, columns))
    example = tuple(torch.ones(1, 1, down, right) for _ in INPUTS)
    precision, device = student.low_precision, next(student.parameters()).device
    student.low_precision = False  # what is written is float32
    student.cpu()
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), _Quiet():
            warnings.simplefilter("ignore")  # of torch, to those who develop it
            program = torch.onnx.export(
                student,
                example,
                input_names=INPUTS,
                output_names=OUTPUTS,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise InputError(f"This PyTorch cannot write the student as ONNX ({type(error).__name__}).") from error
    finally:
        student.low_precision = precision
        student.to(device)
    assert program is not None
    model = program.model_proto
    note = {"version": __version__, "rows": rows, "columns": columns, "lag": denoiser.noise.lag}
    model.metadata_props.append(onnx.StringStringEntryProto(key="demottle", value=json.dumps(note)))
    with staged(path, overwrite=True) as place:
        place.write_bytes(model.SerializeToString())
    return path


class _Quiet:
    """Keep torch's exporter from reporting its stages."""

    def __enter__(self) -> None:
        self._levels = {name: logging.getLogger(name).level for name in ("torch.onnx", "onnxscript", "onnx_ir")}
        for name in self._levels:
            logging.getLogger(name).setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
