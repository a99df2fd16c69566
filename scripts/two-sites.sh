#!/usr/bin/env bash
# Two sites that cannot reach each other, with hosts of the same addresses, one server between them, and workers in each:
# one worker is killed in mid-scan, and nothing is lost or there twice. Needs root (network namespaces), python3, openssl;
# sshd is used where it is installed. Ends and removes what it made. Usage: scripts/two-sites.sh [path of patchscout]
# DATABASE=postgres://… has the server keep its data there, in an empty database, instead of in SQLite.
#
#      east (192.168.77.10-21)            west (192.168.77.10-21)
#      east-1 (killed), east-2, east-3    west-1, west-2
#           10.77.1.2 ---- 10.77.1.1 server 10.77.2.1 ---- 10.77.2.2
set -euo pipefail
cd "$(dirname "$0")/.."
unset "${!PATCHSCOUT_@}"

[ "$(id -u)" -eq 0 ] || { echo "two-sites: needs root for network namespaces" >&2; exit 1; }
for tool in ip python3 openssl; do
  command -v "$tool" >/dev/null || { echo "two-sites: $tool is not installed" >&2; exit 1; }
done

dir=$(mktemp -d /tmp/two-sites.XXXXXX)
tag=ts$$
pids=()
made=()

finish() {
  local code=$?
  trap - EXIT INT TERM
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for _ in $(seq 20); do
    local left=0
    for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null && left=1; done
    [ $left -eq 0 ] && break
    sleep 0.25
  done
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for ns in "${made[@]}"; do ip netns del "$ns" 2>/dev/null || true; done
  if [ -n "${KEEP:-}" ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
  exit $code
}
trap finish EXIT
trap 'exit 1' INT TERM

ps=${1:-}
if [ -z "$ps" ]; then
  ps=$dir/patchscout
  go build -o "$ps" ./cmd/patchscout
fi
ps=$(realpath "$ps")

# --- the networks
for name in server east west; do
  ip netns add "$tag-$name"
  made+=("$tag-$name")
  ip -n "$tag-$name" link set lo up
done
ip netns exec "$tag-server" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
n=0
for site in east west; do
  n=$((n + 1))
  ip link add "v$n-$$" netns "$tag-server" type veth peer name up0 netns "$tag-$site"
  ip -n "$tag-server" addr add "10.77.$n.1/24" dev "v$n-$$"
  ip -n "$tag-server" link set "v$n-$$" up
  ip -n "$tag-$site" addr add "10.77.$n.2/24" dev up0
  ip -n "$tag-$site" link set up0 up
  ip -n "$tag-$site" route add default via "10.77.$n.1"
  for last in $(seq 10 21); do ip -n "$tag-$site" addr add "192.168.77.$last/32" dev lo; done
done

# --- the hosts: a web server and one that greets as an old OpenSSH on each address, and a real sshd
cat >"$dir/hosts.py" <<'PY'
import http.server, socket, socketserver, sys, threading
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
for last in range(10, 22):
    for port, handler in ((80, Quiet), (2222, Greet)):
        server = Many(("192.168.77.%d" % last, port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
PY
mkdir "$dir/empty"
for site in east west; do
  (cd "$dir/empty" && exec ip netns exec "$tag-$site" python3 "$dir/hosts.py") >"$dir/hosts-$site.log" 2>&1 &
  pids+=($!)
done
sshd=$(command -v sshd || true)
if [ -n "$sshd" ]; then
  mkdir -p /run/sshd
  ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
  for site in east west; do
    ip netns exec "$tag-$site" "$sshd" -D -f /dev/null -h "$dir/host_key" -o ListenAddress=192.168.77.15:22 -o PidFile=none -o UsePAM=no >/dev/null 2>&1 &
    pids+=($!)
  done
fi

# --- the server
export HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir
[ -z "${DATABASE:-}" ] || export PATCHSCOUT_DATABASE_URL=$DATABASE
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=two sites" \
  -addext "subjectAltName=IP:10.77.1.1,IP:10.77.2.1,IP:127.0.0.1" -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
"$ps" feeds sync --from cmd/patchscout/testdata/feeds --no-progress >/dev/null 2>&1
for site in east west; do
  "$ps" site add "$site" >/dev/null
  (umask 077; "$ps" token create --worker --site "$site" >"$dir/$site.token" 2>/dev/null)
done
"$ps" user add anna --role analyst --keep-password >/dev/null 2>&1
"$ps" token create story --user anna >"$dir/anna.token" 2>/dev/null
PATCHSCOUT_SERVER_TLS_CERT=$dir/cert.pem PATCHSCOUT_SERVER_TLS_KEY=$dir/key.pem \
  ip netns exec "$tag-server" "$ps" serve --listen 0.0.0.0:8443 --log-level info >"$dir/serve.log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do grep -q "listens on" "$dir/serve.log" && break; sleep 0.2; done
grep -q "listens on" "$dir/serve.log" || { echo "two-sites: the server did not start" >&2; cat "$dir/serve.log" >&2; exit 1; }

# --- the workers, who know of no database
unset PATCHSCOUT_DATABASE_URL
declare -A worker
start_worker() { # site number
  local gate=10.77.1.1
  [ "$1" = west ] && gate=10.77.2.1
  mkdir -p "$dir/$1-$2"
  HOME=$dir/$1-$2 XDG_DATA_HOME=$dir/$1-$2 XDG_CONFIG_HOME=$dir/$1-$2 ip netns exec "$tag-$1" \
    "$ps" worker --server "https://$gate:8443" --token-file "$dir/$1.token" --ca-file "$dir/cert.pem" --name "$1-$2" \
    --concurrency 1 --log-level info >"$dir/$1-$2.log" 2>&1 &
  worker[$1-$2]=$!
  pids+=($!)
}
for w in "east 1" "east 2" "west 1" "west 2"; do start_worker $w; done
for w in east-1 east-2 west-1 west-2; do
  for _ in $(seq 100); do grep -q "runs tools" "$dir/$w.log" && break; sleep 0.1; done
  grep -q "runs tools" "$dir/$w.log" || { echo "two-sites: $w did not start" >&2; cat "$dir/$w.log" >&2; exit 1; }
done

reach() { # from to: also a refusal would come from there
  ip netns exec "$tag-$1" python3 - "$2" <<'PY'
import socket, sys
try:
    socket.create_connection((sys.argv[1], 80), 2)
    print("yes")
except ConnectionRefusedError:
    print("yes")
except OSError:
    print("no")
PY
}
for pair in "east 10.77.2.2" "west 10.77.1.2"; do
  answer=$(reach $pair)
  echo "a worker in the ${pair% *} reaches the other site (${pair#* }): $answer"
  [ "$answer" = no ] || { echo "two-sites: the sites are not apart" >&2; exit 1; }
done

# --- the story
cat >"$dir/story.py" <<'PY'
import json, os, signal, ssl, sys, time, urllib.request
work, victim = sys.argv[1], int(sys.argv[2])
token = open(work + "/anna.token").read().strip()
trust = ssl.create_default_context(cafile=work + "/cert.pem")
def ask(path, body=None):
    req = urllib.request.Request("https://127.0.0.1:8443/api/v1" + path, json.dumps(body).encode() if body is not None else None,
        {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    with urllib.request.urlopen(req, context=trust, timeout=30) as r:
        return json.load(r)
def initiate(site):
    return ask("/scans/initiate", {"target_url": "192.168.77.10-21", "config": {"site": site, "scanners": ["native"], "ports": "1-4000"}})["scan_id"]
def end(scan, seconds=240):
    until = time.time() + seconds
    while True:
        s = ask("/scans/%d" % scan)
        if s["status"] in ("completed", "failed"):
            return s["status"]
        if time.time() > until:
            sys.exit("two-sites: scan %d is %s after %d s" % (scan, s["status"], seconds))
        time.sleep(0.5)
def facts(scan):
    doc, out = ask("/scans/%d/result" % scan), []
    for h in doc["hosts"]:
        out.append(("host", h["address"]))
        out += [("service", h["address"], v["port"], v["product"], v["version"]) for v in h["services"]]
    out += [("finding", f["host"], f["port"], f["cve"] or f["check"]) for f in doc["findings"]]
    return sorted(out, key=str)
def jobs(scan, query=""):
    return ask("/jobs?kind=tool&scan=%d&limit=1000%s" % (scan, query))["jobs"]

scans = {site: initiate(site) for site in ("east", "west")}
lost = None
until = time.time() + 60
while lost is None and time.time() < until:
    lost = next((j for j in jobs(scans["east"], "&state=running") if j["worker"] == "east-1"), None)
    time.sleep(0.1)
if lost is None:
    sys.exit("two-sites: east-1 ran nothing")
time.sleep(1)
os.kill(victim, signal.SIGKILL)
killed = time.time()
print("east-1 is killed in the middle of job %d" % lost["id"], flush=True)
open(work + "/killed", "w").close()
states = {site: end(scan) for site, scan in scans.items()}
got = {site: facts(scan) for site, scan in scans.items()}
again = ask("/jobs/%d" % lost["id"])
took = time.mktime(time.strptime(again["started_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - killed
print("job %d: %s, by %s, attempt %d, taken over after %d s" % (lost["id"], again["state"], again["worker"], again["attempt"], took))
calm = {site: initiate(site) for site in scans}
for scan in calm.values():
    end(scan)
ok = again["state"] == "done" and again["worker"] != "east-1" and took <= 60
print("%-6s %-10s %6s %9s %9s %8s %8s  %s" % ("site", "scan", "hosts", "services", "findings", "lost", "doubled", "workers"))
for site, scan in scans.items():
    want, have = facts(calm[site]), got[site]
    count = lambda kind: sum(1 for f in have if f[0] == kind)
    missing, doubled = len(set(want) - set(have)), len(have) - len(set(have)) + len(set(have) - set(want))
    by = sorted({j["worker"] for j in jobs(scan) if j["worker"]})
    print("%-6s %-10s %6d %9d %9d %8d %8d  %s" % (site, states[site], count("host"), count("service"), count("finding"), missing, doubled, " ".join(by)))
    ok = ok and states[site] == "completed" and not missing and not doubled and count("host") == 12 and count("service") >= 24 and count("finding") >= 12 \
        and all(w.startswith(site) for w in by)
print("verdict:", "nothing lost, nothing twice" if ok else "FAILED")
sys.exit(0 if ok else 1)
PY
(
  for _ in $(seq 600); do [ -e "$dir/killed" ] && break; sleep 0.1; done
  sleep 2
) &
waiter=$!
ip netns exec "$tag-server" timeout 600 python3 "$dir/story.py" "$dir" "${worker[east-1]}" &
story=$!
disown "${worker[east-1]}" # its death is part of the story
pids+=("$story" "$waiter")
wait "$waiter"
start_worker east 3
wait "$story"
