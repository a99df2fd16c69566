// Runs the browser tests: npm run e2e [-- names]. Two files at a time, seven minutes at most; what fails is said at the end.
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "node:test";

import { binary, browserPath } from "./harness.mjs";
import { prepare } from "./prepare.mjs";

const most = 420_000; // ms

if (!existsSync(binary)) {
  console.error(`there is no ${binary}: make ui build, or TEST_PATCHSCOUT=path`);
  process.exit(2);
}
browserPath();
const ending = new AbortController();
const late = setTimeout(() => {
  console.error(`the browser tests did not end within ${most / 1000} s`);
  process.exitCode = 1;
  ending.abort();
  setTimeout(() => process.exit(1), 5_000).unref();
}, most);

process.env.TEST_PREPARED = await prepare();
const here = fileURLToPath(new URL(".", import.meta.url));
const asked = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith(".test.mjs") && (asked.length === 0 || asked.some((a) => name.includes(a))))
  .map((name) => here + name);
const tests = run({ files, concurrency: 2, signal: ending.signal });
const failed = [];
let passed = 0;
let last = "";
const took = (details) => `${((details?.duration_ms ?? 0) / 1000).toFixed(1)} s`;
tests.on("test:pass", ({ name, details, nesting }) => {
  if (nesting > 0 || name.endsWith(".mjs")) return;
  passed++;
  console.log(`ok    ${name} (${took(details)})`);
});
tests.on("test:fail", ({ name, details }) => {
  process.exitCode = 1;
  const error = details?.error;
  if (error?.failureType === "subtestsFailed") return;
  failed.push(name);
  const cause = error?.cause ?? error;
  const says = String(cause?.code === "ERR_ASSERTION" ? cause.message : (cause?.stack ?? cause)).slice(0, 3000).split("\n").slice(0, 24).join("\n      ");
  console.log(`FAIL  ${name} (${took(details)})\n      ${says === last ? "for the same reason" : says}`);
  last = says;
});
tests.on("test:stderr", ({ message }) => process.stderr.write(message));
tests.resume();
await new Promise((resolve) => tests.once("end", resolve).once("close", resolve));
clearTimeout(late);
console.log(`\n${passed} passed, ${failed.length} failed${failed.length > 0 ? ": " + [...new Set(failed)].join("; ") : ""}; pictures are in web/artefacts`);
process.exit(process.exitCode ?? 0);
