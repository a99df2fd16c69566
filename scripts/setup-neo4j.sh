#!/usr/bin/env bash
# Gets the Neo4j Community servers that tests of the graph database start for real, out of Maven Central into the cache
# folder of the user: 130 MB each, once. Where the machine cannot get or run one it says why; the tests skip it then.
#   scripts/setup-neo4j.sh [VERSION…]   without versions: those that the product is tested with
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/patchscout/neo4j
versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(5.26.0 2025.12.1)

# The highest major version of the Java runtimes that are here, 0 for none.
newest_java() {
  local java best=0 major
  for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" /usr/lib/jvm/*/bin/java; do
    [ -n "$java" ] && [ -x "$java" ] || continue
    major=$("$java" -version 2>&1 | sed -nE '1s/.*version "([0-9]+).*/\1/p')
    [ "${major:-0}" -le "$best" ] || best=$major
  done
  echo "$best"
}

java=$(newest_java)
limit=()
! command -v timeout >/dev/null 2>&1 || limit=(timeout 600) # a server that is silent must not keep the tests from going on
for version in "${versions[@]}"; do
  want=21
  case $version in 5.*) want=17 ;; esac
  lib=$cache/$version/lib
  if [ -e "$lib/neo4j-$version.jar" ]; then
    continue
  fi
  if [ "$java" -lt "$want" ]; then
    echo "Neo4j $version: SKIPPED, it needs Java $want and there is ${java/#0/none} here (apt-get install openjdk-$want-jre-headless)" >&2
    continue
  fi
  if ! command -v mvn >/dev/null 2>&1; then
    echo "Neo4j $version: SKIPPED, there is no Maven to get it with (apt-get install maven)" >&2
    continue
  fi
  echo "getting Neo4j $version from Maven Central (once)"
  mkdir -p "$cache/$version"
  part=$cache/$version/part.$$
  trap 'rm -rf "$part"' EXIT
  if ! ${limit[@]+"${limit[@]}"} mvn -q -B -f "$here/neo4j/pom.xml" -Dneo4j.version="$version" dependency:copy-dependencies -DoutputDirectory="$part" >"$cache/$version/maven.log" 2>&1; then
    echo "Neo4j $version: SKIPPED, Maven could not get it; the end of $cache/$version/maven.log:" >&2
    tail -n 5 "$cache/$version/maven.log" >&2
    rm -rf "$part"
    continue
  fi
  rm -rf "$lib"
  mv "$part" "$lib"
done
