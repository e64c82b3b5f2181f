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

last_words() {
    printf 'The last words in %s were:\n' "$log"
    tail -n 3 "$log"
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

# Commits strip notebooks by .githooks/pre-commit, unless somebody has hooks of their own.
set_hooks() {
    [ -e .git ] && command -v git >/dev/null || return 0
    [ -z "$(git config core.hooksPath)" ] || return 0
    find "$(git rev-parse --git-path hooks)" -type f ! -name '*.sample' 2>/dev/null | grep -q . \
        || git config core.hooksPath .githooks
}

make_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null \
        || fail "$1 has no venv module; install it (on Debian and Ubuntu: apt install python3-venv)"
    "$1" -m venv --clear "$venv" || fail "$1 could not make a virtual environment in $venv"
}

if [ $# -gt 1 ]; then
    is_fit "$2" || fail "$2 is not Python 3.11, 3.12 or 3.13; name another with make setup PY=/path/to/python3"
    make_venv "$2"
elif ! is_fit "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python python3 python3.13 python3.12 python3.11)
    [ -n "$python" ] \
        || fail "Python 3.11, 3.12 or 3.13 is needed and none is on PATH; install one, or name it with make setup PY=/path/to/python3"
    make_venv "$python"
fi
echo "setup: installing into $venv with $("$venv/bin/python" --version); about 1.2 GB, a minute or more the first time"
: >"$log"

install_locked \
    || fail "the locked packages could not be installed; is there a network, or a package index in pip's configuration? $(last_words)"
install --no-deps --no-build-isolation -e . \
    || fail "the packages are there, but this project could not be installed. $(last_words)"
set_hooks
