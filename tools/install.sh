#!/usr/bin/env bash
# Make .venv: torch first and in its CPU form where that can be had (the default on Linux brings gigabytes of CUDA), then
# demottle itself, every version as in constraints.txt. On a machine with an NVIDIA card the default torch is taken.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found="$("$python" --version 2>/dev/null || echo "not there")"
    echo "demottle needs Python 3.11 or newer, and '$python' is $found." >&2
    echo "Name another one like this: make PYTHON=python3.11" >&2
    exit 2
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
pip=(.venv/bin/python -m pip --disable-pip-version-check install --quiet -c constraints.txt)

index="https://download.pytorch.org/whl/cpu"
cpu=()
if [ "$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null; then
    if .venv/bin/python -c "import urllib.request as u; u.urlopen('$index/torch/', timeout=5)" 2>/dev/null; then
        cpu=(--extra-index-url "$index")
    fi
fi
echo "Installing torch, then demottle and its tools into .venv (some minutes the first time) ..."
"${pip[@]}" ${cpu[@]+"${cpu[@]}"} torch
"${pip[@]}" -e ".[dev,onnx]"
