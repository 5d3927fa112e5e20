#!/usr/bin/env bash
# The container files for real: builds the image, founds a network of four with it, and runs compose.yaml: health, a deposit, a container that is
# stopped and comes back, two that are missing, and all of them made anew. Needs docker with the compose plugin, and ports 8640 to 8643.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() { echo "container: SKIPPED, nothing was tested: $*" >&2; exit 0; }
docker info >/dev/null 2>&1 || skip "there is no docker engine that this user may use"
docker compose version >/dev/null 2>&1 || skip "docker has no compose plugin"

work="$(mktemp -d)"
# Hosts that let nobody raise the limit of open files get what they have.
files="$(ulimit -Hn)"
[ "$files" != unlimited ] && [ "$files" -lt 65536 ] || files=65536
{
    echo "services:"
    for host in data court registry bank; do echo "  $host: {ulimits: {nofile: $files}}"; done
} >"$work/files.yaml"
compose() {
    docker compose --project-name zhulian-test --project-directory "$work" -f deploy/container/compose.yaml -f "$work/files.yaml" "$@"
}
here() { docker run --rm --user 0:0 -v "$work:/here" -w /here "$@"; }
finish() {
    code=$?
    if [ $code -ne 0 ]; then
        echo "container: FAILED; the last lines of the nodes:" >&2
        compose logs --tail 20 >&2 || true
    fi
    compose down >/dev/null 2>&1 || true
    # What the containers wrote belongs to their user.
    here --entrypoint rm zhulian -rf net >/dev/null 2>&1 || true
    rm -rf "$work"
    exit $code
}

say() { printf 'container: %s\n' "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }
on() { # HOST, arguments of zhulian
    local host=$1
    shift
    compose exec -T "$host" zhulian --lang en "$@"
}
height() { on "$1" --json status 2>/dev/null | sed -n 's/^  "height": \([0-9]*\).*/\1/p' | head -1; }
reaches() { [ "$(height "$1")" -ge "$2" ]; }
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q "$1")")" = healthy ]; }
until_true() { # SECONDS, command
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
        sleep 0.5
    done
}
deposit() { # HOST, TEXT: and its receipt is verified there
    compose exec -T "$1" sh -c "echo '$2' >'/tmp/$2' && zhulian --key $1.officer --passphrase-file keys/passphrase evidence deposit '/tmp/$2' \
        && zhulian verify '/tmp/$2'" >/dev/null || fail "deposit of $2 at $1"
}
knows() { compose exec -T "$1" sh -c "echo '$2' >'/tmp/$2' && zhulian evidence check '/tmp/$2'"; }

say "building the image"
docker build -f deploy/container/Containerfile -t zhulian .
trap finish EXIT
say "founding a network and starting four containers"
here zhulian network init --hosts data,court,registry,bank --out net >/dev/null
here --entrypoint chown zhulian -R 8640:8640 net/data net/court net/registry net/bank
compose up -d
for host in data court registry bank; do
    until_true 90 healthy "$host"
    until_true 60 reaches "$host" 3
done
compose exec -T data sh -c 'echo >/var/lib/zhulian/probe && rm /var/lib/zhulian/probe && ! touch /usr/local/bin/probe 2>/dev/null' ||
    fail "what the container may write is not what it should be"

say "a deposit at one of them, found at another"
deposit data first
until_true 10 knows court first

say "one is stopped: three go on, and it catches up when it is back"
compose stop bank
deposit court second
compose start bank
until_true 60 reaches bank "$(height data)"
until_true 10 knows bank second

say "two are stopped: the network stands and says so, the other two containers are healthy, and it goes on when they are back"
compose stop registry bank
until_true 60 sh -c "! docker exec $(compose ps -q data) zhulian status"
sleep 50 # three failed health checks would count
healthy data && healthy court || fail "a network that stands is taken for a sick container"
compose start registry bank
until_true 60 on data status
deposit data third

say "all are removed and made anew: the chain goes on"
before="$(height data)"
compose down
compose up -d
for host in data court registry bank; do until_true 60 reaches "$host" "$((before + 3))"; done
until_true 10 knows registry first
deposit bank fourth
say "all steps passed; the image has $(docker image inspect -f '{{.Size}}' zhulian | numfmt --to=si --suffix=B)"
