#!/usr/bin/env bash
# What deploy/compose.yaml starts, as plain processes on loopback: a PostgreSQL of its own with a password in a file, one
# server with TLS, two workers on the database. A scan is begun over the API with a token, one of the workers that run it is
# killed, a backup is made meanwhile, and everything must be there in the end. It stops what it started, by process id, and
# ends by itself within three minutes. Needs PostgreSQL's programs, python3, openssl. Ports 18911 to 18913, or TOPOLOGY_PORT
# and the two after it. Usage: scripts/topology.sh [path of patchscout]
set -euo pipefail
cd "$(dirname "$0")/.."
unset "${!PATCHSCOUT_@}"

bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v postgres || echo /nowhere/postgres)")
[ -x "$bin/initdb" ] || { echo "topology: PostgreSQL's programs are not installed (apt-get install postgresql)" >&2; exit 1; }
for tool in python3 openssl; do
  command -v "$tool" >/dev/null || { echo "topology: $tool is not installed" >&2; exit 1; }
done

port=${TOPOLOGY_PORT:-18911}
dir=$(mktemp -d /tmp/topology.XXXXXX)
pids=()

finish() {
  local code=$?
  trap - EXIT INT TERM
  local pid left
  # PostgreSQL was started first and goes last: SIGINT is its fast shutdown.
  for pid in "${pids[@]:1}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for _ in $(seq 40); do
    left=0
    for pid in "${pids[@]:1}"; do kill -0 "$pid" 2>/dev/null && left=1; done
    [ $left -eq 0 ] && break
    sleep 0.25
  done
  for pid in "${pids[@]:1}"; do kill -KILL "$pid" 2>/dev/null || true; done
  [ ${#pids[@]} -eq 0 ] || kill -INT "${pids[0]}" 2>/dev/null || true
  wait 2>/dev/null || true
  if [ -n "${KEEP:-}" ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM

ps=${1:-}
if [ -z "$ps" ]; then
  ps=$dir/patchscout
  go build -o "$ps" ./cmd/patchscout
fi
ps=$(realpath "$ps")

await() { # seconds file words
  for _ in $(seq $(($1 * 10))); do
    grep -q "$3" "$2" 2>/dev/null && return
    sleep 0.1
  done
  echo "topology: no \"$3\" in $(basename "$2") after $1 s" >&2
  tail -n 20 "$2" >&2
  exit 1
}

# --- postgres: as itself, since it refuses root
as=()
if [ "$(id -u)" -eq 0 ]; then
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chmod 711 "$dir"
fi
mkdir "$dir/postgres"
openssl rand -hex 24 >"$dir/postgres/password"
[ "$(id -u)" -ne 0 ] || chown -R postgres:postgres "$dir/postgres"
chmod 700 "$dir/postgres"
(cd "$dir/postgres" && "${as[@]}" "$bin/initdb" -D "$dir/postgres/data" -U patchscout -A scram-sha-256 --pwfile="$dir/postgres/password" -E UTF8 --locale=C --no-sync >"$dir/initdb.log")
(cd "$dir/postgres" && exec "${as[@]}" "$bin/postgres" -D "$dir/postgres/data" -h 127.0.0.1 -p "$port" -k "$dir/postgres") >"$dir/postgres.log" 2>&1 &
pids+=($!)
await 30 "$dir/postgres.log" "ready to accept connections"
export HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir
(umask 077; printf '127.0.0.1:%s:*:patchscout:%s\n' "$port" "$(cat "$dir/postgres/password")" >"$dir/pgpass")
PGPASSFILE=$dir/pgpass "$bin/createdb" -h 127.0.0.1 -p "$port" -U patchscout patchscout
export PATCHSCOUT_DATABASE_URL="postgres://patchscout@127.0.0.1:$port/patchscout?sslmode=disable&passfile=$dir/pgpass"

# --- server
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=localhost" \
  -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
PATCHSCOUT_DATA_DIR=$dir/load "$ps" feeds sync --from cmd/patchscout/testdata/feeds --no-progress >/dev/null 2>"$dir/feeds.log" || [ $? -eq 4 ]
PATCHSCOUT_DATA_DIR=$dir/server PATCHSCOUT_SERVER_TLS_CERT=$dir/tls.crt PATCHSCOUT_SERVER_TLS_KEY=$dir/tls.key \
  PATCHSCOUT_JOBS_TOOLS=1 "$ps" serve --listen "127.0.0.1:$((port + 1))" --log-format json --log-level info >"$dir/server.log" 2>&1 &
pids+=($!)
server=$!
await 60 "$dir/server.log" "listens on"
"$ps" user add anna --role analyst --keep-password >/dev/null 2>&1
(umask 077; "$ps" token create topology --user anna >"$dir/token" 2>/dev/null)

# --- worker-1, worker-2
declare -A worker
for name in worker-1 worker-2; do
  PATCHSCOUT_DATA_DIR=$dir/$name "$ps" worker --concurrency 2 --log-format json --log-level info >"$dir/$name.log" 2>&1 &
  worker[$name]=$!
  pids+=($!)
done

# --- what is scanned: twelve loopback addresses with two servers each
cat >"$dir/hosts.py" <<'PY'
import http.server, socketserver, sys, threading
class Greet(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"SSH-2.0-OpenSSH_7.2p2\r\n")
        self.request.settimeout(5)
        try: self.request.recv(256)
        except OSError: pass
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
class Many(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 128
for last in range(10, 34):
    for port, handler in ((int(sys.argv[1]), Quiet), (int(sys.argv[1]) + 1, Greet)):
        server = Many(("127.89.11.%d" % last, port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
PY
mkdir "$dir/empty"
(cd "$dir/empty" && exec python3 "$dir/hosts.py" "$((port + 1))") >"$dir/hosts.log" 2>&1 &
pids+=($!)
await 20 "$dir/hosts.log" ready

cat >"$dir/story.py" <<'PY'
import json, os, signal, ssl, subprocess, sys, time, urllib.error, urllib.request
work, base, patchscout, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
workers = {int(sys.argv[5]): "worker-1", int(sys.argv[6]): "worker-2"}
def pid(worker): # "machine/process"
    return int(worker.rsplit("/", 1)[1]) if worker else 0
token = open(work + "/token").read().strip()
trust = ssl.create_default_context(cafile=work + "/tls.crt")
def ask(path, body=None, auth=True, root="/api/v1"):
    headers = {"Content-Type": "application/json"}
    if auth: headers["Authorization"] = "Bearer " + token
    req = urllib.request.Request(base + root + path, json.dumps(body).encode() if body is not None else None, headers)
    with urllib.request.urlopen(req, context=trust, timeout=30) as r:
        return json.load(r)
def initiate():
    return ask("/scans/initiate", {"target_url": "127.89.11.10-33", "config": {"scanners": ["native"], "ports": "%d-%d" % (port - 900, port + 100)}})["scan_id"]
def end(scan, seconds=100):
    until = time.time() + seconds
    while time.time() < until:
        s = ask("/scans/%d" % scan)
        if s["status"] in ("completed", "failed"): return s["status"]
        time.sleep(0.3)
    return "not over after %d s" % seconds
def facts(scan):
    doc, out = ask("/scans/%d/result" % scan), []
    for h in doc["hosts"]:
        out.append(("host", h["address"]))
        out += [("service", h["address"], v["port"], v["product"], v["version"]) for v in h["services"]]
    out += [("finding", f["host"], f["port"], f["cve"] or f["check"]) for f in doc["findings"]]
    return sorted(out, key=str)
def jobs(scan, query=""):
    return ask("/jobs?kind=tool&scan=%d&limit=1000%s" % (scan, query))["jobs"]
rows = []
def verdict(what, ok, note=""):
    rows.append((what, ok, note))
    print("%-7s %-58s %s" % ("ok" if ok else "FAILED", what, note), flush=True)

until = time.time() + 20
while True:
    health = ask("/health/ready", auth=False, root="")
    if health["ready"] or time.time() > until: break
    time.sleep(0.3)
verdict("the server is ready, over TLS", health["ready"], health["status"])
try:
    ask("/scans", auth=False)
    verdict("without a token nothing is told", False)
except urllib.error.HTTPError as e:
    verdict("without a token nothing is told", e.code == 401, str(e.code))

scan, victim = initiate(), None
until = time.time() + 60
while victim is None and time.time() < until:
    victim = next((j for j in jobs(scan, "&state=running") if pid(j["worker"]) in workers), None)
    time.sleep(0.05)
if victim is None:
    verdict("a worker runs a part of the scan", False, "after 60 s: " + json.dumps([(j["state"], j["worker"]) for j in jobs(scan)]))
else:
    name = victim["worker"]
    os.kill(pid(name), signal.SIGKILL)
    killed = time.time()
    verdict("a worker runs a part of the scan, and is killed", True, "%s, job %d" % (workers[pid(name)], victim["id"]))
backup = subprocess.run([patchscout, "backup", work + "/during.backup"], env={**os.environ, "PATCHSCOUT_DATA_DIR": work + "/server"},
    capture_output=True, text=True, timeout=120)
verdict("a backup is made while all runs", backup.returncode == 0, backup.stderr.strip()[-120:] or "%d KiB" % (os.path.getsize(work + "/during.backup") >> 10))
status = end(scan)
verdict("the scan completes", status == "completed", status)
if victim is not None:
    again = ask("/jobs/%d" % victim["id"])
    took = time.mktime(time.strptime(again["started_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - killed
    verdict("another took the dead worker's job within a minute", again["state"] == "done" and again["worker"] != name and took <= 60,
        "%s, attempt %d, after %d s" % (workers.get(pid(again["worker"]), "server"), again["attempt"], max(took, 0)))
got = facts(scan)
count = lambda kind: sum(1 for f in got if f[0] == kind)
verdict("24 hosts, 48 services, and findings", count("host") == 24 and count("service") >= 48 and count("finding") >= 24,
    "%d, %d, %d" % (count("host"), count("service"), count("finding")))
calm = initiate()
end(calm)
want = facts(calm)
lost, twice = len(set(want) - set(got)), len(got) - len(set(got))
verdict("nothing lost, nothing twice, beside a scan in peace", not lost and not twice, "%d lost, %d twice" % (lost, twice))
by = sorted({workers.get(pid(j["worker"]), "server") for j in jobs(scan) + jobs(calm) if j["worker"]})
verdict("server and workers shared the work", len(by) >= 2, ", ".join(by))
bad = [r for r in rows if not r[1]]
print("verdict:", "the topology holds" if not bad else "%d of %d FAILED" % (len(bad), len(rows)))
sys.exit(1 if bad else 0)
PY
disown "${worker[worker-1]}" "${worker[worker-2]}" # the death of one is part of the story
timeout 170 python3 "$dir/story.py" "$dir" "https://localhost:$((port + 1))" "$ps" "$port" "${worker[worker-1]}" "${worker[worker-2]}"
kill -0 "$server" || { echo "topology: the server has ended" >&2; exit 1; }
