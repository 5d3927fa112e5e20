#!/usr/bin/env bash
# Change without stopping, with real processes: a protocol begins by vote, and a node that does not know it stands still until its program is
# newer; a fifth validator comes by vote, one goes, one gets another key, while documents are deposited; then every receipt, old and
# new, is verified offline. Everything stays on 127.0.0.0/8 and in a temporary directory.
. "$(dirname "$0")/lib.sh" e2e-validators "${ZHULIAN_E2E_PORT:-9744}"
port="$base" # and the gateways one above

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
stop() { # INDEX WHO: ends within the ten seconds that its engine has
    local begun=$SECONDS ended=0
    kill -TERM "${pids[$1]}" || fail "$2 has ended by itself"
    wait "${pids[$1]}" || ended=$?
    [ "$ended" = 0 ] || fail "$2 does not stop cleanly (exit $ended)"
    [ $((SECONDS - begun)) -lt 9 ] || fail "$2 took $((SECONDS - begun)) s to stop"
}
asked() { "$zhulian" --json --url "http://$1:$((port + 1))" "${@:2}"; }
value() { sed -n "s/^  \"$1\": \"\{0,1\}\([0-9a-z]*\).*/\1/p" | head -1; }
height() { asked "$1" status | value height; }
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
deposit() { # NAME [OPTION…]
    printf 'document %s\n' "$1" >"$work/$1.txt"
    member data.officer evidence deposit "$work/$1.txt" --source-type file --legal-basis 'e2e' "${@:2}"
}
code_of() { sed -n "/\"handle\": \"$1\"/{n;s/.*\"\([0-9A-Z]\{18\}\)\".*/\1/p}" "$work/plan.json"; }

"$zhulian" network plan | sed '2s/^/  "epoch_blocks": 30,\n  "protocol": 1,\n/' >"$work/plan.json"
"$zhulian" network init --plan "$work/plan.json" --out "$work/net" --port "$port" --gateway-port $((port + 1)) \
    --hosts 127.0.0.11,127.0.0.12,127.0.0.13,127.0.0.14 >/dev/null
"$zhulian" network trust "$work/net/network.json" >/dev/null
keys=("$work"/net/data/keys/*.zlkey)
[ -e "${keys[0]}" ] || fail "no keys: $(ls "$work/net/data/keys")"

say "four validators, epochs of 30 blocks, protocol 1"
# The bank's program knows no other.
sed -i '0,/{/s//{\n  "protocol_max": 1,/' "$work/net/bank/node.json"
n=11
for handle in data court registry bank; do
    run "$handle" "127.0.0.$n"
    n=$((n + 1))
done
until_true 120 is_up 127.0.0.12
until_true 60 is_up 127.0.0.14
deposit first
# By the rules of protocol 1 nobody asks whether the custodian is there.
nobody=11330100MB0N0B0D0C
deposit before --custodian "$nobody"

say "protocol 2 is voted"
begins=$(($(height 127.0.0.12) + 50))
member court.representative protocol propose 2 --height "$begins"
votes 0 court registry bank fund market notary
why() { asked "$1" why-stalled >"$work/out" 2>&1 || true; }
warned() { why 127.0.0.14 && grep -q "this binary executes protocols 1 to 1; height $begins begins protocol 2" "$work/out"; }
until_true 30 warned
grep -q "height $begins begins protocol 2" "$work/net/bank/log.txt" || fail "the bank's log does not warn"
why 127.0.0.12 && grep -q "begins protocol" "$work/out" && fail "a node that knows the protocol warns"
announced() { member court.representative protocol show && grep -q "protocol 2 from height $begins on" "$work/out"; }
until_true 30 announced

say "it begins at height $begins, and a node that does not know it stands still"
filler=0
while [ "$(height 127.0.0.12)" -lt $((begins + 3)) ]; do
    filler=$((filler + 1))
    deposit "filler-$filler"
done
[ "$(asked 127.0.0.12 protocol show | value in_force)" = 2 ] || fail "protocol 2 is not in force"
printf 'document after\n' >"$work/after.txt"
if "$zhulian" --url "http://127.0.0.12:$((port + 1))" --key "$work/net/data/keys/data.officer.zlkey" \
    --passphrase-file "$work/net/data/keys/passphrase" \
    evidence deposit "$work/after.txt" --source-type file --legal-basis e2e --custodian "$nobody" >"$work/out" 2>&1; then
    fail "an unknown custodian was taken by protocol 2"
fi
says custodian
stands() { why 127.0.0.14 && grep -q "the next block follows protocol 2" "$work/out"; }
until_true 30 stands
[ "$(height 127.0.0.14)" = $((begins - 1)) ] || fail "the bank is at $(height 127.0.0.14) and not at $((begins - 1))"
kill -0 "${pids[3]}" || fail "the bank's node has ended"
# Stopped and started with the same program, it stands where it stood; with a newer one it goes on.
stop 3 "the bank's node"
run bank 127.0.0.14
until_true 60 stands
[ "$(height 127.0.0.14)" = $((begins - 1)) ] || fail "the bank went on without knowing how"
stop 4 "the bank's node, started again"
sed -i '/"protocol_max": 1,/d' "$work/net/bank/node.json"
run bank 127.0.0.14
caught_up() { [ "$(height 127.0.0.14)" -ge $((begins + 3)) ]; }
until_true 60 caught_up
deposit after --custodian "$(code_of court)"

say "a fifth comes"
prepare() { # HANDLE-OF-FILES
    "$zhulian" --json validator prepare "$work/net/$1" --genesis "$work/net/genesis.cbor" \
        --peer "$(key_of court)=127.0.0.12:$port" --peer "$(key_of registry)=127.0.0.13:$port" \
        --listen "0.0.0.0:$port" --gateway "0.0.0.0:$((port + 1))" | value public_key
}
key_of() { # the n-th address is the n-th validator's
    local last
    case $1 in data) last=11 ;; court) last=12 ;; registry) last=13 ;; bank) last=14 ;; esac
    sed -n "s/^ *\"\([0-9a-f]\{64\}\)\": \"127\.0\.0\.$last:.*/\1/p" "$work/net/court/node.json"
}
fifth="$(prepare fund-node)"
member court.representative validator propose-add "$(code_of fund)" "$fifth" "127.0.0.15:$port" --name 公积金中心
votes 1 court registry bank fund market notary
run fund-node 127.0.0.15
deposit second
until_true 90 decided 127.0.0.12 5 "$fifth"
until_true 60 is_up 127.0.0.15
deposit third

say "one goes, and follows"
member court.representative validator propose-remove "$(code_of data)" "$(key_of data)"
votes 2 court registry bank fund market
until_true 90 decided 127.0.0.12 4
deposit fourth
until_true 60 decided 127.0.0.11 4

say "one gets another key"
sixth="$(prepare bank-node)"
member court.representative validator propose-rekey "$(key_of bank)" "$sixth" --address "127.0.0.16:$port"
run bank-node 127.0.0.16
votes 3 court registry bank fund market notary
until_true 90 decided 127.0.0.12 4 "$sixth"
until_true 60 decided 127.0.0.16 4 "$sixth"
kill -TERM "${pids[5]}"
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
for document in first before after second third fourth fifth; do
    "$zhulian" verify "$work/$document.txt" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "the receipt of $document"; }
done
say "done in $SECONDS s"
