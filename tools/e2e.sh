#!/bin/sh
# The journeys of web/e2e in Chromium. Each starts an installation of its own, with the rehearsal agent and with the real
# Claude Code, which speaks to a scripted model on this machine. Nothing leaves the machine, nothing stays but pictures.
#
#   tools/e2e.sh              all of them; more arguments go to Playwright: tools/e2e.sh reconnect --project phone
#   tools/e2e.sh --images     takes the pictures of the docs anew, into docs/images
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'e2e: %s\n  hint: %s\n' "$1" "$2" >&2
    exit 1
}

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$CHROMIUM" ] || fail 'there is no Chromium' 'Debian: apt install chromium; or name one in CHROMIUM'
[ -x "$CHROMIUM" ] || fail "there is no Chromium at $CHROMIUM" 'CHROMIUM names it; Debian: apt install chromium'
[ -d web/node_modules/@playwright/test ] || fail 'Playwright is not there' 'run `make web-check`, or `npm ci` in web/'
[ -f web/dist/index.html ] || fail 'the web pages are not built' 'run `make e2e`, or `npm run build` in web/'

cargo build --quiet --bin flotilla --bin scripted-model

# Not in the checkout: what is built meanwhile must not change what runs, and pictures show these paths.
work=$(mktemp -d "${TMPDIR:-/tmp}/flotilla.XXXXXX")
cp target/debug/flotilla target/debug/scripted-model "$work"
finish() {
    status=$?
    trap - EXIT INT TERM
    # A journey ends what it started. This is for one that was not let.
    for data in "$work"/*/data; do
        [ ! -d "$data" ] || "$work/flotilla" down --data "$data" >/dev/null 2>&1 || true
    done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

export CHROMIUM TMPDIR="$work" FLOTILLA_BIN="$work/flotilla" FLOTILLA_SCRIPTED_MODEL="$work/scripted-model"

images=
if [ "${1:-}" = --images ]; then
    images=yes
    set -- fleet-at-work
fi
(cd web && npm run --silent e2e -- "$@")
[ -n "$images" ] || exit 0

# picture FROM TO: light, as a page is read most.
picture() {
    cp "web/e2e/screenshots/$1.png" "docs/images/$2.png"
}
mkdir -p docs/images
picture fleet-session-wide-light session
picture fleet-session-phone-light phone
picture fleet-inbox-wide-light approvals
picture fleet-hosts-wide-light hosts
ls -l docs/images
