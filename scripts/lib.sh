# What the scripts with real processes begin with: the binary, a working directory that is removed, and processes that are
# stopped whatever happens: a network of four by `up`, others by their ids in `pids`. Everything stays on 127.0.0.1. To be sourced, with the script's name and its first port.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name="$1"
base="$2"

target="${CARGO_TARGET_DIR:-target}"
zhulian="${ZHULIAN:-}"
for build in release debug; do
    [ -n "$zhulian" ] || { [ -x "$target/$build/zhulian" ] && zhulian="$(realpath "$target/$build/zhulian")"; }
done
if [ -z "$zhulian" ]; then
    cargo build --locked --bin zhulian
    zhulian="$(realpath "$target/debug/zhulian")"
fi

work="$(mktemp -d)"
export ZHULIAN_HOME="$work/home" LANG=en_GB.UTF-8
up_pid="" pids=()
finish() {
    code=$?
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ -n "$up_pid" ] && kill -0 "$up_pid" 2>/dev/null; then
        kill -TERM "$up_pid"
        wait "$up_pid" || true
    fi
    if [ $code -ne 0 ]; then
        echo "$name: FAILED; the last output and the last lines of the nodes:" >&2
        cat "$work/out" >&2 2>/dev/null || true
        tail -n 20 "$work"/home/nodes/*/log.txt "$work"/net/*/log.txt "$work"/up.log >&2 2>/dev/null || true
        echo "$name: FAILED: ${reason:-of itself} (exit $code)" >&2 # once more, last, where a shortened log is still read
    fi
    [ -n "${ZHULIAN_E2E_KEEP:-}" ] || rm -rf "$work"
    exit $code
}
trap finish EXIT

say() { printf '%s: %s\n' "$name" "$*"; }
reason=""
fail() { reason="$*"; say "FAILED: $*" >&2; exit 1; }
trap 'reason="${reason:-line $LINENO: $BASH_COMMAND}"' ERR
expect() { # CODE COMMAND…: runs it and compares the exit code
    local wanted=$1 got=0
    shift
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$wanted" ] || fail "'$*' ended with $got instead of $wanted"
}
says() { grep -q -- "$1" "$work/out" || fail "the last output lacks: $1"; }
# The first value of a member in the last output.
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",{[]*\)\"\{0,1\},\{0,1\}$/\1/p" "$work/out" | head -1; }
until_true() { # SECONDS, command
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
        sleep 0.3
    done
}
up() {
    rm -f "$work/up.log" # or the last run's "ready" would be read for this one's
    "$zhulian" up --json --port-base "$base" "$@" >"$work/up.log" 2>&1 &
    up_pid=$!
    until_true 150 grep -q '"ready": true' "$work/up.log"
}
down() {
    kill -TERM "$up_pid"
    wait "$up_pid" || fail "up did not stop cleanly"
    up_pid=""
}
