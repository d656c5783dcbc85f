#!/bin/sh
# Runs the journeys of web/e2e in Chromium, against a whole installation of its own: `flotilla up` in a temporary folder,
# with the real Claude Code speaking to a scripted model on this machine. Nothing leaves the machine, nothing stays.
#
# The journeys find what they need in the environment: FLOTILLA_URL, FLOTILLA_READY_FILE (setup token, process ids),
# FLOTILLA_DATA (the data folder) and FLOTILLA_BIN.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'e2e: %s\n  hint: %s\n' "$1" "$2" >&2
    exit 1
}

if ! ls web/e2e/*.spec.ts >/dev/null 2>&1; then
    printf 'there are no journeys in web/e2e yet\n'
    exit 0
fi
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$CHROMIUM" ] || fail 'there is no Chromium' 'Debian: apt install chromium; or name one in CHROMIUM'

cargo build --quiet --bin flotilla --bin scripted-model
FLOTILLA_BIN=$PWD/target/debug/flotilla
claude=$(ls -d "$PWD"/testkit/agents/node_modules/@anthropic-ai/claude-code-*/claude 2>/dev/null | head -n 1)
[ -n "$claude" ] || fail 'the pinned Claude Code is not there' 'run `make tools`'

work=$(mktemp -d "${TMPDIR:-/tmp}/flotilla e2e.XXXXXX")
FLOTILLA_DATA=$work/data
FLOTILLA_READY_FILE=$work/ready.json
mkdir "$work/home"
model=
up=
finish() {
    status=$?
    trap - EXIT INT TERM
    # Ends what runs in that folder, agents included.
    "$FLOTILLA_BIN" down --data "$FLOTILLA_DATA" >/dev/null 2>&1 || true
    [ -z "$up" ] || wait "$up" 2>/dev/null || true
    [ -z "$model" ] || kill "$model" 2>/dev/null || true
    if [ "$status" != 0 ]; then
        printf '\n== the end of the logs\n' >&2
        tail -n 30 "$work"/up.log "$FLOTILLA_DATA"/logs/*.log >&2 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for WHAT COMMAND...: until the command succeeds, a minute at most.
wait_for() {
    what=$1
    shift
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "$what did not come within a minute" "look at the logs below"
        sleep 0.1
    done
}

target/debug/scripted-model >"$work/model.url" 2>"$work/model.log" &
model=$!
wait_for 'the scripted model' test -s "$work/model.url"
endpoint=$(head -n 1 "$work/model.url")

cat >"$work/config.toml" <<TOML
[runner]
host = "workbench"

[agents.claude]
command = "$claude"
home = "$work/home"
env = { ANTHROPIC_BASE_URL = "$endpoint", ANTHROPIC_API_KEY = "no-credential", DISABLE_AUTOUPDATER = "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC = "1" }
TOML

HOME=$work/home "$FLOTILLA_BIN" up --listen 127.0.0.1:0 --data "$FLOTILLA_DATA" --config "$work/config.toml" \
    --ready-file "$FLOTILLA_READY_FILE" >"$work/up.log" 2>&1 &
up=$!
wait_for 'flotilla up' test -s "$FLOTILLA_READY_FILE"
FLOTILLA_URL=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$FLOTILLA_READY_FILE")

export CHROMIUM FLOTILLA_BIN FLOTILLA_DATA FLOTILLA_READY_FILE FLOTILLA_URL
cd web && npm run --silent e2e
