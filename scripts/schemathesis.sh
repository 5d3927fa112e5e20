#!/usr/bin/env bash
# Runs schemathesis against a gateway on loopback: what docs/openapi.json promises is what is served, for generated requests good and
# bad. Takes under five minutes. Arguments are passed on, for example --max-examples 100.
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
target="${CARGO_TARGET_DIR:-target}"
venv="$target/schemathesis-$version"
cargo="${CARGO:-cargo}"

if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv" || { echo "schemathesis: python3 with venv is needed (Debian: python3-venv)" >&2; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version" || {
        rm -rf "$venv"
        echo "schemathesis: version $version could not be installed from PyPI" >&2
        exit 1
    }
fi

# The whole workspace is named, so that what the unit tests built is used.
"$cargo" build --quiet --locked --workspace --example loopback
work="$(mktemp -d)"
mkfifo "$work/input" "$work/output"
"$target/debug/examples/loopback" <"$work/input" >"$work/output" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
exec 3>"$work/input"
read -r -t 30 address <"$work/output" || { echo "schemathesis: the gateway did not start" >&2; exit 1; }

# The event stream has no end, so it is left to the tests. Everything else is checked for status, headers, media type, schema, and that
# what breaks the schema is refused.
root="$PWD"
case "$venv" in /*) ;; *) venv="$root/$venv" ;; esac
cd "$work"
PYTHONPATH="$root/scripts" SCHEMATHESIS_HOOKS=schemathesis_hooks timeout 280 "$venv/bin/schemathesis" run "$root/docs/openapi.json" \
    --url "$address" --exclude-path /v1/events --max-examples 20 --seed 1 --request-timeout 20 --no-color "$@" ||
    { echo "schemathesis: the gateway does not keep what docs/openapi.json promises, or the run took too long" >&2; exit 1; }
