#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each: scripts/fuzz.sh 60s
set -euo pipefail
time=${1:-30s}

go list -f '{{.Dir}}' ./... | while read -r dir; do
  { grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null || true; } | awk '{print $2}' | while read -r target; do
    echo "== $target in ${dir#"$PWD"/}"
    (cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" .)
  done
done
