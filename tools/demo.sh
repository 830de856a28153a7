#!/usr/bin/env bash
# What a user does, on a simulated scan whose truth is known: denoise, then compare with the truth.
set -euo pipefail
cd "$(dirname "$0")/.."
demottle=.venv/bin/demottle

step() { printf '\n\033[1m$ demottle %s\033[0m\n' "$*"; "$demottle" "$@"; }

rm -rf demo
step simulate phantom -o demo
step denoise demo/scan -o demo/denoised
step evaluate demo/denoised --input demo/scan --truth demo/truth
printf '\nThe page: %s\n' "file://$PWD/demo/denoised-report/report.html"
