#!/bin/sh
# Makes the virtual environment $1 with the interpreter $2, or says what is missing.
set -eu
venv=$1
python=$2

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "Bluegreen needs Python 3.11 or later: there is no $python."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Bluegreen needs Python 3.11 or later: $python is $("$python" -V 2>&1). Name another one: make PYTHON=python3.12 …"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv module. On Debian and Ubuntu: apt-get install python3-venv"

# A half-made one (interrupted, or of an interpreter that is gone) is made anew.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
