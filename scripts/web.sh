#!/usr/bin/env bash
# Builds the TypeScript verifier and the page that the gateway embeds.
set -euo pipefail
cd "$(dirname "$0")/.."

install() { # folder: npm ci only when its lockfile changed
    local stamp="$1/node_modules/.zhulian-lock"
    if ! cmp -s "$1/package-lock.json" "$stamp"; then
        echo "web: installing the packages of $1"
        (cd "$1" && npm ci --no-audit --no-fund --silent)
        cp "$1/package-lock.json" "$stamp"
    fi
}
install sdk/typescript
install web
(cd sdk/typescript && npm run --silent build)
(cd web && npm run --silent check && npm run --silent build)
