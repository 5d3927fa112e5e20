#!/usr/bin/env bash
# The editors that officers draw with, bpmn-js and dmn-js, in headless Chromium: they open the scenarios, and what they save after an
# edit is accepted.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
ZHULIAN="$(realpath "${ZHULIAN:-$target/debug/zhulian}")"
export ZHULIAN

cd web/modelers
stamp=node_modules/.zhulian-lock
if ! cmp -s package-lock.json "$stamp"; then
    echo "modelers: installing bpmn-js and dmn-js"
    # Nothing of what they would run on installation is needed.
    npm ci --no-audit --no-fund --silent --ignore-scripts
    cp package-lock.json "$stamp"
fi
npm test
