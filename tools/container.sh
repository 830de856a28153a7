#!/usr/bin/env bash
# Build the image of the Dockerfile where no registry can be reached, with buildah and debootstrap, as root on Debian or Ubuntu.
# The base is made of Debian's packages in place of python:3.11-slim. Python's packages are fetched beforehand, by pip as it
# is configured here, and the builder gets them as a folder. What lies in FOLDER already is used again.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -ne 1 ]; then
    echo "usage: PYTHON=python3.11 bash tools/container.sh FOLDER (where base, packages and image are kept)" >&2
    exit 2
fi
for program in debootstrap buildah; do
    command -v "$program" >/dev/null || { echo "$program is missing: apt-get install debootstrap buildah" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "debootstrap needs root." >&2; exit 2; }
mkdir -p "$1"
folder="$(cd "$1" && pwd)"
python="${PYTHON:-python3}"

if [ ! -e "$folder/base.complete" ]; then
    rm -rf "$folder/base"
    debootstrap --variant=minbase --include=python3,python3-venv,python-is-python3 bookworm "$folder/base" >&2
    rm -rf "$folder/base"/var/cache/apt/archives/*.deb
    touch "$folder/base.complete"
fi
version() { "$@" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
wanted="$(version chroot "$folder/base" python)"
if [ "$(version "$python")" != "$wanted" ]; then
    echo "The base has Python $wanted and $python is another; name the same one: PYTHON=python$wanted" >&2
    exit 2
fi

if [ ! -e "$folder/wheels.complete" ]; then
    index="https://download.pytorch.org/whl/cpu" cpu=()
    if "$python" -c "import urllib.request as u; u.urlopen('$index/torch/', timeout=5)" 2>/dev/null; then
        cpu=(--extra-index-url "$index")
    fi
    "$python" -m pip download --quiet --dest "$folder/wheels" --constraint constraints.txt ${cpu[@]+"${cpu[@]}"} \
        torch ".[onnx,node]" setuptools wheel >&2
    touch "$folder/wheels.complete"
fi
printf '[global]\nno-index = true\nfind-links = /wheels\n' >"$folder/pip.conf"

# In a chroot and with plain copies of layers it also works where containers may not be nested.
builder=(buildah --storage-driver vfs --root "$folder/store" --runroot "$folder/run")
if ! "${builder[@]}" inspect --type image localhost/demottle-base >/dev/null 2>&1; then
    container="$("${builder[@]}" from scratch)"
    "${builder[@]}" copy --quiet "$container" "$folder/base" / >/dev/null
    "${builder[@]}" commit --quiet --rm "$container" localhost/demottle-base >/dev/null
fi
"${builder[@]}" build --isolation chroot --pull-never --build-arg BASE=localhost/demottle-base --tag localhost/demottle \
    --volume "$folder/wheels:/wheels:ro" --volume "$folder/pip.conf:/etc/pip.conf:ro" . >&2
