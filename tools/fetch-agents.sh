#!/bin/sh
# Puts the pinned real agents into testkit/agents/node_modules of this checkout.
#
# The tests run the vendors' own programs, at versions written in testkit/agents/package.json
# and hashes written in its lock file. About 600 MB. Running this again does nothing when
# they are already there.
set -eu

fail() {
    printf 'fetch-agents: %s\n  hint: %s\n' "$1" "$2" >&2
    exit 1
}

checkout=$(cd "$(dirname "$0")/.." && pwd)
agents=$checkout/testkit/agents
# Holds the lock file that the installed folder was made from.
installed=$agents/node_modules/.installed-from

if cmp -s "$agents/package-lock.json" "$installed"; then
    exit 0
fi

command -v npm >/dev/null 2>&1 ||
    fail "npm is not on PATH." "install Node.js 20 or newer (Debian: apt install nodejs npm) and run this again."

printf 'fetching the agents that the tests run (about 600 MB) ...\n' >&2
# No install scripts: the programs are whole files in packages of their own, one per platform.
# `include` because a machine may be set to leave optional packages out, and these are optional.
(cd "$agents" && npm ci --ignore-scripts --include=optional --no-audit --no-fund --loglevel=error >&2) ||
    fail "npm could not install the pinned agents." \
        "look at npm's message above; behind a proxy, set npm_config_registry or HTTPS_PROXY."

# Every agent is started once, so that a wrong platform is told here and not in the middle of a test.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
trap 'exit 130' INT TERM
check() {
    name=$1 wanted=$2 folder=$3
    for program in "$folder"/claude-code-*/claude; do
        [ -x "$program" ] || continue
        found=$(env -i HOME="$home" PATH="$PATH" DISABLE_AUTOUPDATER=1 "$program" --version 2>/dev/null) || continue
        [ "${found%% *}" = "$wanted" ] && return 0
    done
    fail "no program in $folder is $name $wanted and runs on this machine." \
        "the vendor may not build for $(uname -s) on $(uname -m); see optionalDependencies in the lock file."
}
check 'Claude Code' 2.1.329 "$agents/node_modules/@anthropic-ai"
check 'Claude Code' 2.1.197 "$agents/node_modules/claude-code-2.1.197/node_modules/@anthropic-ai"

cp "$agents/package-lock.json" "$installed"
printf 'the agents are in %s\n' "$agents/node_modules" >&2
