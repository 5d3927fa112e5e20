#!/usr/bin/env bash
# The web page in headless Chromium, against a city that runs for the test alone.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
zhulian="$(realpath "${ZHULIAN:-$target/debug/zhulian}")"
scratch="$(mktemp -d)"
city=""
finish() {
    [ -z "$city" ] || { kill -TERM "$city" 2>/dev/null || true; wait "$city" 2>/dev/null || true; }
    rm -rf "$scratch"
}
trap finish EXIT

export ZHULIAN_HOME="$scratch/home"
base="${ZHULIAN_PAGE_PORT:-9740}"
"$zhulian" --json up --port-base "$base" >"$scratch/up.log" 2>&1 &
city=$!
source scripts/city.sh
wait_for_city "$scratch/home" "$scratch/up.log"

head -c 2600000 /dev/urandom >"$scratch/document.bin"
"$zhulian" -q evidence deposit "$scratch/document.bin" >"$scratch/deposit.log"
head -c 10000 /dev/urandom >"$scratch/withdrawn.bin"
"$zhulian" -q evidence deposit "$scratch/withdrawn.bin" >"$scratch/deposit.log"
number="$("$zhulian" --json evidence check "$scratch/withdrawn.bin" | sed -n 's/.*"id": "\(ZL[^"]*\)".*/\1/p' | head -1)"
"$zhulian" -q evidence withdraw "$number" --reason mistake >"$scratch/deposit.log"
cd web
ZHULIAN_URL="http://127.0.0.1:$base" ZHULIAN_DEPOSITED="$scratch/document.bin" ZHULIAN_RECEIPT="$scratch/document.bin.zlr" \
    ZHULIAN_WITHDRAWN="$scratch/withdrawn.bin" ZHULIAN_NODES="$scratch/home/nodes" npm test
