#!/usr/bin/env bash
# The web page in headless Chromium, against a city that runs for the test alone.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
zhulian="${ZHULIAN_BINARY:-$target/debug/zhulian}"
scratch="$(mktemp -d)"
city=""
finish() {
    [ -z "$city" ] || { kill -INT "$city" 2>/dev/null || true; wait "$city" 2>/dev/null || true; }
    rm -rf "$scratch"
}
trap finish EXIT

base=$((20000 + RANDOM % 20000))
"$zhulian" up --dir "$scratch/city" --port-base "$base" >"$scratch/up.log" 2>&1 &
city=$!
source scripts/city.sh
wait_for_city "$scratch/city" "$scratch/up.log"

head -c 2600000 /dev/urandom >"$scratch/document.bin"
"$zhulian" --home "$CITY_HOME" --url "$CITY_URL" --key "$CITY_KEY" -q evidence deposit "$scratch/document.bin" >"$scratch/deposit.log"
cd web
ZHULIAN_URL="$CITY_URL" ZHULIAN_DEPOSITED="$scratch/document.bin" ZHULIAN_RECEIPT="$scratch/document.bin.zlr" npm test
