#!/usr/bin/env bash
# Rules with real processes: a pack is published, voted in, decides, and the decision is made again offline from its receipt.
# Everything stays on 127.0.0.1 and in a temporary directory.
set -euo pipefail
cd "$(dirname "$0")/.."

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
base="${ZHULIAN_RULES_PORT:-9680}"
up_pid=""
finish() {
    code=$?
    if [ -n "$up_pid" ] && kill -0 "$up_pid" 2>/dev/null; then
        kill -TERM "$up_pid"
        wait "$up_pid" || true
    fi
    if [ $code -ne 0 ]; then
        echo "rules: FAILED; the last output and the last lines of the nodes:" >&2
        cat "$work/out" >&2 2>/dev/null || true
        tail -n 20 "$work"/home/nodes/*/log.txt "$work"/up.log >&2 2>/dev/null || true
    fi
    rm -rf "$work"
    exit $code
}
trap finish EXIT

say() { printf 'rules: %s\n' "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }
expect() { # CODE COMMAND…: runs it and compares the exit code
    local wanted=$1 got=0
    shift
    "$@" >"$work/out" 2>&1 || got=$?
    [ "$got" = "$wanted" ] || fail "'$*' ended with $got instead of $wanted"
}
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$work/out" | head -1; }

say "starting four nodes"
"$zhulian" up --json --no-demo --port-base "$base" >"$work/up.log" 2>&1 &
up_pid=$!
end=$((SECONDS + 150))
until grep -q '"ready": true' "$work/up.log"; do
    [ $SECONDS -lt $end ] || fail "the network does not start"
    sleep 0.3
done
export ZHULIAN_URL="http://127.0.0.1:$base"

say "publishing version 1, in force in ${delay:=90} seconds"
cp -r scenarios "$work/scenarios"
pack="$work/scenarios/medical-assistance/pack.json"
from="$(date -u -d "+$delay seconds" +%Y-%m-%dT%H:%M:%SZ)"
sed -i "s/\"effective_from\": \"[^\"]*\"/\"effective_from\": \"$from\"/; s/\"notice_days\": [0-9]*/\"notice_days\": 0/" "$pack"
expect 0 "$zhulian" --json rules check "$pack"
expect 0 "$zhulian" --json --key data.representative rules publish "$pack"
motion="$(field motion)"
for who in data court registry bank fund market; do
    expect 0 "$zhulian" --json --key "$who.representative" org vote "$motion" yes
done
expect 0 "$zhulian" --json org motions
grep -q '"status": "executed"' "$work/out" || fail "the motion was not executed"

say "before its time it does not decide, and not without the facts it needs"
facts=(--fact 'Support class="低保"' --fact 'Monthly income per head=900' --fact 'Family assets=1000' --fact 'Family cars=0'
    --fact 'Family yearly income=20000' --fact 'Assisted this year=0')
decide=("$zhulian" --json --key data.officer rules decide medical-assistance Assistance "${facts[@]}")
expect 6 "${decide[@]}" --fact 'Own cost=8000.01'
grep -q 'rulepack.not_in_force' "$work/out" || fail "another refusal than not_in_force"
while [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \< "$from" ]; do sleep 0.5; done
sleep 2
expect 6 "${decide[@]}"
grep -q 'rulepack.fact_missing' "$work/out" || fail "another refusal than fact_missing"
expect 6 "${decide[@]}" --fact 'Own cost=8000.01' --fact 'Yearly cap=1'
grep -q 'rulepack.fact_is_rate' "$work/out" || fail "another refusal than fact_is_rate"

say "it decides, and anyone decides it again offline"
expect 0 "${decide[@]}" --fact 'Own cost=8000.01'
grep -q '"outcome": "6000.01"' "$work/out" || fail "0.75 × 8000.01 is 6000.01"
id="$(field id)"
expect 0 "$zhulian" --json tx receipt "$id" --output "$work/decision.zlr"
kill -TERM "$up_pid"
wait "$up_pid" || fail "up did not stop cleanly"
up_pid=""
expect 0 "$zhulian" --json rules rerun "$work/decision.zlr" --pack "$pack"
grep -q '"identical": true' "$work/out" || fail "the re-run is not identical"
grep -q '"receipt_verified": true' "$work/out" || fail "the receipt was not verified"
expect 5 "$zhulian" rules rerun "$work/decision.zlr" --pack scenarios/medical-assistance/pack.json
say "all steps passed"
