#!/bin/sh
# Make a virtual environment with the locked dependencies and this project in it.
#
# Usage: setup.sh VENV [PYTHON]. uv installs where it can be used; pip does where only pip is
# configured (an own index, a proxy), because uv doesn't read pip's configuration.
set -u
venv=$1
log=$venv/setup.log

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

is_fit() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    for candidate in "$@"; do
        if is_fit "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

install() {
    "$venv/bin/python" -m pip --disable-pip-version-check install -q "$@" >>"$log" 2>&1
}

install_locked() {
    if install --require-hashes -r bootstrap.lock \
        && "$venv/bin/uv" pip install -q --python "$venv/bin/python" --require-hashes \
            --compile-bytecode -r requirements.lock >>"$log" 2>&1; then
        return
    fi
    echo "setup: uv is not usable here, so pip installs (slower)"
    install --no-deps --require-hashes -r requirements.lock
}

if [ $# -gt 1 ]; then
    is_fit "$2" || fail "$2 is not Python 3.11, 3.12 or 3.13; name another with make setup PY=/path/to/python3"
    python=$2
else
    python=$(find_python python3 python3.13 python3.12 python3.11 python)
    [ -n "$python" ] \
        || fail "Python 3.11, 3.12 or 3.13 is needed and none is on PATH; install one, or name it with make setup PY=/path/to/python3"
fi

"$python" -c 'import ensurepip, venv' 2>/dev/null \
    || fail "$python has no venv module; install it (on Debian and Ubuntu: apt install python3-venv)"
echo "setup: $venv with $("$python" --version), about 1.2 GB; a few minutes the first time"
"$python" -m venv "$venv" || fail "$python could not make a virtual environment in $venv"
: >"$log"

install_locked \
    || fail "the locked packages could not be installed; is there a network, or a package index in pip's configuration? The last words were:
$(tail -n 3 "$log")"
install --no-deps --no-build-isolation -e . \
    || fail "the packages are there, but this project could not be installed; see $log"
