#!/usr/bin/env bash
# Proves that a clean clone builds and runs on a machine without Node.js: it clones HEAD into a temporary folder, hides node
# and npm, builds, starts the server on a free loopback port, and reads what its start page and its API say. It stops what
# it started, by process id, and is done within some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
unset "${!PATCHSCOUT_@}"

dir=$(mktemp -d /tmp/clean-clone.XXXXXX)
pid=
finish() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$pid" ]; then
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 80); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$dir"
  exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() { echo "clean clone: $*" >&2; [ ! -s "$dir/log" ] || tail -n 20 "$dir/log" >&2; exit 1; }

# A folder of links to every program but Node's: leaving a folder out of PATH would hide more than these.
mkdir "$dir/path"
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
  [ -d "$folder" ] || continue
  for program in "$folder"/*; do
    name=${program##*/}
    case $name in node | nodejs | npm | npx | corepack | yarn | pnpm) continue ;; esac
    [ -e "$dir/path/$name" ] || [ ! -x "$program" ] || [ -d "$program" ] || echo "$program"
  done
done | awk -F/ '!seen[$NF]++' | xargs -r -d '\n' ln -s -t "$dir/path"
# The caches of Go are found below the home folder, which stays; GOROOT may be where the real program is.
GOROOT=$(go env GOROOT)
export GOROOT PATH=$dir/path GOTOOLCHAIN=local
! command -v node && ! command -v npm || fail "node or npm can still be found"

git clone -q --no-hardlinks "$PWD" "$dir/clone"
cd "$dir/clone"
[ "$(git ls-files web/dist)" = web/dist/.gitkeep ] || fail "more than .gitkeep of web/dist is committed: $(git ls-files web/dist)"
make --no-print-directory -s build
if make --no-print-directory -s ui >"$dir/said" 2>&1; then fail "make ui says nothing about Node.js where there is none"; fi
grep -q 'Node.js' "$dir/said" || fail "make ui says only: $(cat "$dir/said")"

bin/patchscout --data-dir "$dir/data" serve --auth off --listen 127.0.0.1:0 >"$dir/log" 2>&1 &
pid=$!
url=
for _ in $(seq 300); do
  url=$(sed -n 's/.*listens on \(http:[^ ]*\).*/\1/p' "$dir/log" | head -n 1)
  [ -z "$url" ] || break
  kill -0 "$pid" 2>/dev/null || fail "the server ended"
  sleep 0.1
done
[ -n "$url" ] || fail "the server did not say where it listens"

curl -fsS -m 20 -D "$dir/headers" "$url/" >"$dir/page"
grep -q '<pre>make ui build</pre>' "$dir/page" || fail "the start page does not say how to build the UI: $(head -c 400 "$dir/page")"
grep -qi "^content-security-policy: default-src 'none'; script-src 'none'" "$dir/headers" || fail "the start page has no policy: $(cat "$dir/headers")"
[ "$(curl -sS -m 20 -o /dev/null -w '%{http_code}' -H 'Accept: text/html' "$url/findings")" = 404 ] || fail "an address of the UI is answered, and there is no UI"
[ "$(curl -fsS -m 20 "$url/health/ready" -o /dev/null -w '%{http_code}')" = 200 ] || fail "the server is not ready"
curl -fsS -m 20 "$url/api/v1/system" | grep -q '"version"' || fail "the API says nothing of itself"
echo "clean clone: $(git rev-parse --short HEAD) builds and runs without Node.js, and its start page says how to have the UI"
