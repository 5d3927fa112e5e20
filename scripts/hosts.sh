#!/usr/bin/env bash
# Four hosts, each in a network namespace of its own, on links with latency and loss: bundles of `network init --hosts`, a cut link, a lost
# quorum, a rolling restart under load, and strangers. Needs root (namespaces); nothing of it is seen outside.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "hosts: SKIPPED, nothing was tested: $*" >&2; exit 0; }
[ "$(id -u)" = 0 ] || skip "network namespaces need root"
command -v ip >/dev/null || skip "the command ip is missing (Debian: iproute2)"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
probe="zl-probe-$$"
ip netns add "$probe" 2>/dev/null || skip "this machine allows no network namespaces"
ip netns del "$probe"

target="${CARGO_TARGET_DIR:-target}"
zhulian="${ZHULIAN:-}"
for build in release debug; do
    [ -n "$zhulian" ] || { [ -x "$target/$build/zhulian" ] && zhulian="$(realpath "$target/$build/zhulian")"; }
done
if [ -z "$zhulian" ]; then
    cargo build --locked --bin zhulian
    zhulian="$(realpath "$target/debug/zhulian")"
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 scripts/hosts.py "$zhulian"
