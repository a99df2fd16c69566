#!/usr/bin/env bash
# Installs what the web UI is built and tested with: Node.js with npm, and a Chromium for the browser tests. As root on a
# machine with apt it installs what is missing, otherwise it says exactly what to install and fails.
set -euo pipefail

want=20.19 # of Node.js, as web/package.json says

new_enough() { [ "$(printf '%s\n%s\n' "$want" "$1" | sort -V | head -n 1)" = "$want" ]; }
node_version() { node --version 2>/dev/null | sed 's/^v//'; }
have_node() { command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && new_enough "$(node_version)"; }

# A package may be a stub that only says where to get the browser: it counts when it tells its version.
have_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
    [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && "$name" --version >/dev/null 2>&1 && return
  done
  return 1
}

missing=()
have_node || missing+=(nodejs npm)
have_chromium || missing+=(chromium fonts-dejavu-core)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  {
    echo "the web UI's build and tests need:"
    have_node || echo "  Node.js $want or newer with npm (here: $(node_version | grep . || echo none)): https://nodejs.org"
    have_chromium || echo "  Chromium, or CHROMIUM=path of a browser that is like it"
    echo "for example: sudo apt-get install -y --no-install-recommends ${missing[*]}"
  } >&2
  exit 1
fi

echo "installing for the web UI: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
if ! have_node; then
  offered=$(apt-cache policy nodejs | sed -n 's/^  Candidate: //p' | sed 's/[-+~].*//')
  if ! new_enough "${offered:-0}"; then
    echo "this system's apt offers Node.js ${offered:-of no version}; the web UI needs $want or newer with npm: https://nodejs.org" >&2
    exit 1
  fi
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
have_node && have_chromium || { echo "apt installed ${missing[*]}, and Node.js $want with npm and a Chromium are still not all there" >&2; exit 1; }
