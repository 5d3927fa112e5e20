#!/usr/bin/env bash
# Change without stopping, with real processes: a fifth validator comes by vote, one goes, one gets another key, while documents are
# deposited; then every receipt, old and new, is verified offline. Everything stays on 127.0.0.0/8 and in a temporary directory.
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
port="${ZHULIAN_E2E_PORT:-9744}" # and the gateways one above
pids=()
finish() {
    code=$?
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ $code -ne 0 ]; then
        echo "e2e-validators: FAILED; the last lines of the nodes:" >&2
        tail -n 12 "$work"/net/*/log.txt "$work/out" >&2 2>/dev/null || true
    fi
    [ -n "${ZHULIAN_E2E_KEEP:-}" ] || rm -rf "$work"
    exit $code
}
trap finish EXIT

say() { printf 'e2e-validators: %s\n' "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }
until_true() { # SECONDS, command
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
        sleep 0.5
    done
}
member() { # HANDLE.MEMBER, command: signed by that member, through the court's node, which stays
    local who=$1
    shift
    "$zhulian" --url "http://127.0.0.12:$((port + 1))" --key "$work/net/${who%%.*}/keys/$who.zlkey" \
        --passphrase-file "$work/net/${who%%.*}/keys/passphrase" "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "$who: $*"; }
}
run() { # HANDLE HOST
    local dir="$work/net/$1"
    # Each on an address of its own; who dials from where is nobody's to say on one machine.
    sed -i "s/0\.0\.0\.0/$2/; s/\"any_source_address\": false/\"any_source_address\": true/" "$dir/node.json"
    "$zhulian" node run --config "$dir/node.json" >"$dir/log.txt" 2>&1 &
    pids+=($!)
}
asked() { "$zhulian" --json --url "http://$1:$((port + 1))" "${@:2}"; }
field() { sed -n "s/^  \"$1\": \"\{0,1\}\([0-9a-z]*\).*/\1/p" | head -1; }
height() { asked "$1" status | field height; }
is_up() { [ "$(height "$1")" -gt 0 ]; }
decided() { # HOST NUMBER [KEY]: so many validators decide there, this one among them, and none is to come
    asked "$1" validator list >"$work/list" && [ "$(grep -c '"this_node"' "$work/list")" = "$2" ] &&
        ! grep -q '"pending"' "$work/list" && grep -q "${3:-}" "$work/list"
}
votes() { # MOTION HANDLE…
    local motion=$1
    shift
    for handle in "$@"; do member "$handle.representative" validator vote "$motion" yes; done
}
deposit() { # NAME
    printf 'document %s\n' "$1" >"$work/$1.txt"
    member data.officer evidence deposit "$work/$1.txt" --source-type file --legal-basis 'e2e'
}

"$zhulian" network plan | sed '2s/^/  "epoch_blocks": 30,\n/' >"$work/plan.json"
"$zhulian" network init --plan "$work/plan.json" --out "$work/net" --port "$port" --gateway-port $((port + 1)) \
    --hosts 127.0.0.11,127.0.0.12,127.0.0.13,127.0.0.14 >/dev/null
"$zhulian" network trust "$work/net/network.json" >/dev/null
keys=("$work"/net/data/keys/*.zlkey)
[ -e "${keys[0]}" ] || fail "no keys: $(ls "$work/net/data/keys")"

say "four validators, epochs of 30 blocks"
n=11
for handle in data court registry bank; do
    run "$handle" "127.0.0.$n"
    n=$((n + 1))
done
until_true 120 is_up 127.0.0.12
until_true 60 is_up 127.0.0.14
deposit first

say "a fifth comes"
prepare() { # HANDLE-OF-FILES
    "$zhulian" --json validator prepare "$work/net/$1" --genesis "$work/net/genesis.cbor" \
        --peer "$(key_of court)=127.0.0.12:$port" --peer "$(key_of registry)=127.0.0.13:$port" \
        --listen "0.0.0.0:$port" --gateway "0.0.0.0:$((port + 1))" | field public_key
}
key_of() { # the n-th address is the n-th validator's
    local last
    case $1 in data) last=11 ;; court) last=12 ;; registry) last=13 ;; bank) last=14 ;; esac
    sed -n "s/^ *\"\([0-9a-f]\{64\}\)\": \"127\.0\.0\.$last:.*/\1/p" "$work/net/court/node.json"
}
code_of() { sed -n "/\"handle\": \"$1\"/{n;s/.*\"\([0-9A-Z]\{18\}\)\".*/\1/p}" "$work/plan.json"; }
fifth="$(prepare fund-node)"
member court.representative validator propose-add "$(code_of fund)" "$fifth" "127.0.0.15:$port" --name 公积金中心
votes 0 court registry bank fund market notary
run fund-node 127.0.0.15
deposit second
until_true 90 decided 127.0.0.12 5 "$fifth"
until_true 60 is_up 127.0.0.15
deposit third

say "one goes, and follows"
member court.representative validator propose-remove "$(code_of data)" "$(key_of data)"
votes 1 court registry bank fund market
until_true 90 decided 127.0.0.12 4
deposit fourth
until_true 60 decided 127.0.0.11 4

say "one gets another key"
sixth="$(prepare bank-node)"
member court.representative validator propose-rekey "$(key_of bank)" "$sixth" --address "127.0.0.16:$port"
run bank-node 127.0.0.16
votes 2 court registry bank fund market notary
until_true 90 decided 127.0.0.12 4 "$sixth"
until_true 60 decided 127.0.0.16 4 "$sixth"
kill -TERM "${pids[3]}"
deposit fifth
until_true 60 is_up 127.0.0.16

say "no vote gives one a third"
if "$zhulian" --url "http://127.0.0.12:$((port + 1))" --key "$work/net/court/keys/court.representative.zlkey" \
    --passphrase-file "$work/net/court/keys/passphrase" \
    validator propose-remove "$(code_of fund)" "$fifth" >"$work/out" 2>&1; then
    fail "the removal of one of four was taken"
fi
grep -q "third" "$work/out" || fail "another refusal: $(cat "$work/out")"

say "every receipt verifies, offline"
for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
for name in first second third fourth fifth; do
    "$zhulian" verify "$work/$name.txt" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "the receipt of $name"; }
done
say "done in $SECONDS s"
