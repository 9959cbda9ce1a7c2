#!/bin/sh
# The browser tests need Chromium; where it is missing and may be installed, this does it.
command -v chromium >/dev/null 2>&1 && exit 0
command -v chromium-browser >/dev/null 2>&1 && exit 0
echo "Chromium is missing; installing it with apt-get"
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q chromium >/dev/null && exit 0
fi
echo "Chromium could not be installed: install it with your system's package manager, then run make test again" >&2
exit 1
