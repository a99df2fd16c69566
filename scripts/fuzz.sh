#!/usr/bin/env bash
# Runs every fuzz target of the module for as many executions each: scripts/fuzz.sh 50000x. Not for a time: go test then
# fails now and again with "context deadline exceeded" although nothing was found.
set -euo pipefail
amount=${1:-20000x}

go list -f '{{.Dir}}' ./... | while read -r dir; do
  { grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null || true; } | awk '{print $2}' | while read -r target; do
    echo "== $target in ${dir#"$PWD"/}"
    (cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$amount" .)
  done
done
