#!/usr/bin/env bash
# Locks the newest allowed versions, with hashes, and without any index address in the files.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${1:?usage: scripts/lock.sh path/to/uv}

compile() {
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
        --custom-compile-command "make lock" "$@"
}
compile requirements/runtime.in --output-file requirements/runtime.txt
compile requirements/runtime.in requirements/dev.in --constraint requirements/runtime.txt \
    --output-file requirements/dev.txt
compile requirements/audit.in --output-file requirements/audit.txt
if grep -nE '://|^--?(i|index-url|extra-index-url|find-links)\b' requirements/*.txt; then
    echo "The lock names an address (above): it must hold only names, versions and hashes." >&2
    exit 1
fi
