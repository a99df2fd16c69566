// Says how much JavaScript the first view of a page loads, packed by gzip, and fails above the limit: what the start and
// the page's own part import statically. Charts and panels that load later do not count.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const limit = 250_000; // bytes
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("manifest.json", dist), "utf8"));

function filesOf(name, seen = new Set()) {
  const chunk = manifest[name];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const other of chunk.imports ?? []) filesOf(other, seen);
  return seen;
}

const size = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 6 }).length;
let over = false;
for (const [page, source] of [["Today", "src/pages/today/Today.tsx"], ["Findings", "src/pages/findings/Findings.tsx"]]) {
  const files = filesOf(source, filesOf("index.html"));
  const total = [...files].reduce((n, file) => n + size(file), 0);
  over ||= total > limit;
  console.log(`${page}: ${(total / 1000).toFixed(1)} kB of JavaScript in ${files.size} files, packed; the limit is ${limit / 1000} kB`);
}
process.exitCode = over ? 1 : 0;
