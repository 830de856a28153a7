#!/usr/bin/env bash
# Install the Debian packages named, if their programs are missing and this is a machine where we may; else say what is
# skipped without them. Never fails: the tests that need a program skip themselves where it is missing.
set -uo pipefail

program_of() {
    case "$1" in
        dicom3tools) echo dciodvfy ;;
        dcmtk) echo dcmdump ;;
        orthanc) echo Orthanc ;;
        orthanc-dicomweb) echo /usr/share/orthanc/plugins/libOrthancDicomWeb.so ;;
        poppler-utils) echo pdftotext ;;
        *) echo "$1" ;;
    esac
}

missing=()
for package in "$@"; do
    program=$(program_of "$package")
    [ -e "$program" ] || command -v "$program" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]} for the tests ..."
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        # The package starts a server that listens on all addresses; the tests start their own, on none but the loopback.
        [[ " ${missing[*]} " == *" orthanc "* ]] && { systemctl disable --now orthanc || service orthanc stop; } >/dev/null 2>&1
        exit 0
    fi
fi
echo "Not installed: ${missing[*]}. The tests that need them are skipped; on Debian or Ubuntu they come with" \
    "'apt-get install ${missing[*]}'."
exit 0
