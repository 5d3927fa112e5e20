#!/usr/bin/env bash
# The whole thing with real processes: a network of four, deposits, offline verification, a changed byte, a killed node, a wiped node,
# all nodes killed. Everything stays on 127.0.0.1 and in a temporary directory.
. "$(dirname "$0")/lib.sh" e2e "${ZHULIAN_E2E_PORT:-9640}"

node_pid() { cat "$work/home/nodes/$1/pid"; }
height() { # NODE; asks until the node answers
    local found end=$((SECONDS + 30))
    while [ $SECONDS -lt $end ]; do
        found="$(height_now "$1")"
        [ -z "$found" ] || { echo "$found"; return; }
        sleep 0.3
    done
    fail "node $1 does not tell its height"
}
height_now() { "$zhulian" --json --url "http://127.0.0.1:$((base + $1 - 1))" status | sed -n 's/^  "height": \([0-9]*\).*/\1/p' | head -1; }
reaches() { [ "$(height_now "$1")" -ge "$2" ]; }

say "starting four nodes"
up
began=$SECONDS

say "depositing one file, a folder, and a batch"
mkdir "$work/files" "$work/batch"
printf 'Contract No. 42\n' >"$work/contract.txt"
head -c 3000000 /dev/urandom >"$work/large.bin"
printf '\x00' | dd of="$work/large.bin" bs=1 seek=1500000 conv=notrunc status=none # or the byte that is changed below might be what it was
for i in $(seq 1 25); do printf 'document %s %s\n' "$i" "$RANDOM" >"$work/files/$i.txt"; done
for i in $(seq 1 200); do printf 'entry %s %s\n' "$i" "$RANDOM" >"$work/batch/$i.txt"; done
: >"$work/batch/empty"
expect 0 "$zhulian" evidence deposit "$work/contract.txt"
say "first deposit after $((SECONDS - began)) s"
expect 0 "$zhulian" evidence deposit "$work/large.bin" "$work/files"
expect 0 "$zhulian" evidence deposit --batch "$work/batch"
[ "$(find "$work/batch.receipts" -name '*.txt.zlr' | wc -l)" = 200 ] || fail "not every entry has its receipt"
rm -r "$work/batch.receipts"
expect 0 "$zhulian" evidence deposit --batch "$work/batch"
[ "$(find "$work/batch.receipts" -name '*.txt.zlr' | wc -l)" = 200 ] || fail "lost receipts of a batch do not come back"

say "running the same again deposits nothing twice"
expect 0 "$zhulian" evidence deposit "$work/files"
grep -q 'deposited before' "$work/out" || fail "a second deposit was made"

say "asking the network"
expect 0 "$zhulian" evidence check "$work/contract.txt"
printf 'never deposited\n' >"$work/other.txt"
expect 3 "$zhulian" evidence check "$work/other.txt"
expect 0 "$zhulian" evidence check "$work/batch/7.txt"
number="$("$zhulian" --json evidence check "$work/contract.txt" | sed -n 's/.*"id": "\(ZL[^"]*\)".*/\1/p' | head -1)"
expect 0 "$zhulian" evidence show "$number"
expect 0 "$zhulian" evidence history "$number"
expect 4 "$zhulian" evidence check "$work/other.txt" --id "$number"

say "a file whose folder cannot be read is named, the rest is deposited"
printf 'one more\n' >"$work/more.txt"
expect 8 "$zhulian" evidence deposit "$work/more.txt" "$work/no-such-file"

say "what is no regular file is refused at once, and a place that takes no receipt is found before depositing"
expect 1 timeout 20 "$zhulian" evidence deposit /dev/zero
mkfifo "$work/pipe"
expect 1 timeout 20 "$zhulian" evidence deposit "$work/pipe"
printf 'no place for its receipt\n' >"$work/unplaced.txt"
expect 1 "$zhulian" evidence deposit "$work/unplaced.txt" --receipts "$work/contract.txt"
expect 3 "$zhulian" evidence check "$work/unplaced.txt"

say "names are committed to, and opened for one reader"
expect 0 "$zhulian" evidence open "$work/contract.txt"
cp "$work/contract.txt" "$work/renamed.txt"
expect 0 "$zhulian" verify "$work/renamed.txt" --receipt "$work/contract.txt.zlr" --opening "$work/contract.txt.opening.json"
grep -q 'contract.txt$' "$work/out" || { cat "$work/out" >&2; fail "the name is not shown"; }
sed -i 's/contract.txt/contrast.txt/' "$work/contract.txt.opening.json"
expect 5 "$zhulian" verify "$work/renamed.txt" --receipt "$work/contract.txt.zlr" --opening "$work/contract.txt.opening.json"
expect 0 "$zhulian" evidence open "$work/batch/7.txt" --receipt "$work/batch.receipts/7.txt.zlr" -o "$work/7.json"

say "killing node 2 with -9; the network goes on and the node comes back"
kill -9 "$(node_pid 2)"
printf 'while node 2 is down\n' >"$work/down.txt"
expect 0 "$zhulian" evidence deposit "$work/down.txt"
sleep 1
until_true 60 reaches 2 "$(height 1)"

say "killing all four with -9; nothing is lost"
for n in 1 2 3 4; do kill -9 "$(node_pid $n)"; done
sleep 2
until_true 120 "$zhulian" status
until_true 60 "$zhulian" evidence check "$work/down.txt"
printf 'after all were killed\n' >"$work/after.txt"
expect 0 "$zhulian" --timeout 120 evidence deposit "$work/after.txt"

say "stopping, wiping node 3, starting again; it executes the blocks it lost"
down
rm -rf "$work/home/nodes/3/data"
up
until_true 120 reaches 3 "$(height 1)"
expect 0 "$zhulian" --url "http://127.0.0.1:$((base + 2))" evidence check "$work/contract.txt"

say "killing node 2, wiping it while the others go on; it fetches their state, then the blocks from before"
sed -i 's/"when_far_behind"/"always"/' "$work/home/nodes/2/node.json"
kill -STOP "$up_pid" # or 'up' would start it again at once
pid="$(node_pid 2)"
kill -9 "$pid"
sleep 0.5
rm -rf "$work/home/nodes/2/data"
kill -CONT "$up_pid"
until_true 120 reaches 2 "$(height 1)"
grep -q 'fetching the state from others' "$work/home/nodes/2/log.txt" || fail "node 2 did not fetch the state"
until_true 60 "$zhulian" --url "http://127.0.0.1:$((base + 1))" evidence check "$work/contract.txt"
printf 'after the state was fetched\n' >"$work/synced.txt"
expect 0 "$zhulian" --url "http://127.0.0.1:$((base + 1))" --timeout 120 evidence deposit "$work/synced.txt"

say "killing 'up' itself with -9 leaves no process behind"
pids="$(for n in 1 2 3 4; do node_pid $n; done)"
kill -9 "$up_pid"
wait "$up_pid" 2>/dev/null || true
up_pid=""
gone() { for pid in $pids; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }
until_true 60 gone

say "with the network gone: offline verification"
expect 0 "$zhulian" verify "$work/contract.txt"
expect 0 "$zhulian" verify "$work/large.bin"
expect 0 "$zhulian" verify "$work/files"
expect 0 "$zhulian" verify "$work/batch"
for i in 1 77 200; do expect 0 "$zhulian" verify "$work/batch/$i.txt" --receipt "$work/batch.receipts/$i.txt.zlr"; done
expect 0 "$zhulian" verify "$work/batch/empty" --receipt "$work/batch.receipts/empty.zlr"

say "one changed byte is found, and its chunk named"
printf '\xff' | dd of="$work/large.bin" bs=1 seek=1500000 conv=notrunc status=none
cmp -s -n 1 -i 1500000:0 "$work/large.bin" <(printf '\xff') || fail "the byte was not written"
expect 4 "$zhulian" --json verify "$work/large.bin"
tr -d ' \n' <"$work/out" | grep -q '"chunks":\[1\]' || { cat "$work/out" >&2; fail "the changed chunk is not named"; }
printf 'x' >>"$work/files/7.txt"
expect 4 "$zhulian" --json verify "$work/files"
grep -q '"verified": 24' "$work/out" || { cat "$work/out" >&2; fail "one of 25 files is changed"; }
cp "$work/contract.txt.zlr" "$work/forged.zlr"
printf '\x00' | dd of="$work/forged.zlr" bs=1 seek=200 conv=notrunc status=none
expect 5 "$zhulian" verify "$work/contract.txt" --receipt "$work/forged.zlr"
expect 7 "$zhulian" evidence check "$work/contract.txt"

say "all steps passed"
