#!/usr/bin/env bash
# A picture of an HTML page as a browser shows it, for the documentation:
#   tools/picture_of_page.sh PAGE.html PICTURE.png [HEIGHT]
set -euo pipefail
page="$(realpath "$1")"
picture="$(realpath "$2")"
root=()
[ "$(id -u)" -eq 0 ] && root=(--no-sandbox)
chromium --headless --disable-gpu --hide-scrollbars "${root[@]}" --window-size="1280,${3:-1000}" \
    --virtual-time-budget=4000 --screenshot="$picture" "file://$page" 2>/dev/null
