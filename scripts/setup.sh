#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, and says what is missing otherwise.
set -euo pipefail

missing=()
need() { # command, package
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need cc build-essential
need pkg-config pkg-config
need python3 python3-venv
need chromium chromium
need pdftotext poppler-utils
need promtool prometheus
# A test runs on a clock that is a month ahead.
need faketime faketime
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing+=(fonts-noto-cjk)
# Only its programs are wanted: the tests start a server of their own.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
python3 -c 'import ensurepip' >/dev/null 2>&1 || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing ${missing[*]}"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: this system has no apt-get; please install the equivalents of: ${missing[*]}" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq
    # Debian's prometheus package would start a service; only its promtool is wanted.
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

for tool in cargo node npm; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "setup: $tool is missing; install Rust 1.95 or newer (rustup.rs) and Node.js 20 or newer" >&2
        exit 1
    fi
done
