// How fast the pages are: node e2e/figures.mjs [--data-dir DIR] [--runs 7] [--json]. Without a folder it measures on the demo
// estate; the figures of the promise need one with a million findings (test/bench -estate-dir makes one). The folder is used
// as it is: give it a copy. Ends with 1 when a figure is beyond its limit.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { command, launch, newData, serve, settled, until } from "./harness.mjs";

const { values } = parseArgs({ options: { "data-dir": { type: "string" }, runs: { type: "string", default: "7" }, json: { type: "boolean", default: false }, only: { type: "string", default: "" } } });
const runs = Number(values.runs);
const wanted = (part) => values.only === "" || values.only.split(",").includes(part);
const figures = [];

function figure(name, value, unit, limit) {
  const beyond = limit !== undefined && !(value <= limit);
  figures.push({ name, value: Number(value.toPrecision(4)), unit, limit: limit ?? null, ok: !beyond });
  if (!values.json) console.log(`  ${name.padEnd(62)} ${value.toPrecision(4).padStart(9)} ${unit.padEnd(6)}${limit === undefined ? "" : `limit ${limit}  ${beyond ? "BEYOND" : "ok"}`}`);
  if (beyond) process.exitCode = 1;
}

const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[Math.floor(list.length / 2)];
const p95 = (list) => sorted(list)[Math.ceil(list.length * 0.95) - 1];

const data = values["data-dir"] ?? newData();
if (!values["data-dir"]) command(data, "demo", "--keep", "--limit", "1");
const server = await serve({ data, auth: "off", within: 600_000 }); // an older folder is brought up to date first
const browser = await launch({ ignoreDefaultArgs: ["--hide-scrollbars"] });

try {
  const total = (await (await fetch(server.url + "/api/v1/findings/counts?confirmed=true")).json()).total;
  if (!values.json) console.log(`${total.toLocaleString("en")} confirmed findings; ${browser.version()}, headless\n`);
  if (wanted("size")) sizes();
  await warm();
  if (wanted("first")) {
    await first("Today", "/", ".today-columns");
    await first("Findings", "/findings", ".fi-row a[href]");
  }
  if (wanted("scroll")) await scrolling();
  if (wanted("filter")) await filtering();
} finally {
  await browser.close();
  await server.stop();
}
if (values.json) console.log(JSON.stringify(figures, null, 1));
process.exit();

/** What the build says: the files that a first view imports statically. */
function sizes() {
  const says = execFileSync(process.execPath, [fileURLToPath(new URL("../scripts/size.mjs", import.meta.url))], { encoding: "utf8" });
  for (const [, page, kb] of says.matchAll(/^(\w+): ([\d.]+) kB/gm)) figure(`${page}: JavaScript of the first load, packed`, Number(kb), "kB", 250);
}

async function warm() {
  for (const path of ["/", "/findings", "/"]) {
    const page = await browser.newPage();
    await page.goto(server.url + path);
    await settled(page, 60_000);
    await page.close();
  }
}

/**
 * Interactive is when the page's first content stands there and the main thread then has 50 ms in which nothing takes longer
 * than a frame: the beginning of those 50 ms. Each run is a new browser profile, so nothing comes from its cache.
 */
async function first(name, path, content) {
  const content_ = [], interactive = [], loaded = [];
  for (let i = 0; i < runs; i++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
    await context.addInitScript((content) => {
      const look = () => {
        if (!document.querySelector(content)) return requestAnimationFrame(look);
        const shown = performance.now();
        let quiet = shown, last = shown;
        const tick = () => {
          const now = performance.now();
          if (now - last > 20) quiet = now;
          last = now;
          if (now - quiet >= 50) window.__figures = { shown, interactive: quiet };
          else setTimeout(tick, 0);
        };
        setTimeout(tick, 0);
      };
      requestAnimationFrame(look);
    }, content);
    const page = await context.newPage();
    let bytes = 0;
    const bodies = [];
    page.on("response", (r) => {
      if (r.request().resourceType() === "script") bodies.push(r.body().then((b) => (bytes += gzipSync(b, { level: 6 }).length), () => {}));
    });
    await page.goto(server.url + path, { waitUntil: "commit" });
    const took = await (await page.waitForFunction(() => window.__figures, null, { timeout: 60_000 })).jsonValue();
    await Promise.all(bodies);
    content_.push(took.shown);
    interactive.push(took.interactive);
    loaded.push(bytes / 1000);
    await context.close();
  }
  figure(`${name}: first content, middle of ${runs}`, median(content_), "ms");
  figure(`${name}: interactive, middle of ${runs}`, median(interactive), "ms", 1000);
  figure(`${name}: interactive, the worst`, Math.max(...interactive), "ms");
  figure(`${name}: JavaScript that had come by then, packed`, median(loaded), "kB", 250);
}

async function openFindings(search = "") {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(server.url + "/findings" + search);
  await page.locator(".fi-row a[href]").first().waitFor({ timeout: 60_000 });
  await settled(page, 60_000);
  return page;
}

// Looks at every frame: which part of the list's window has rows, which of them are data and which are still to come.
function watching() {
  const seen = { frames: 0, blank: 0, longestBlank: 0, longestWait: 0, longestFrame: 0, waits: 0, moved: 0, on: true };
  window.__scroll = seen;
  const scroller = document.querySelector(".fi-scroll");
  let last = performance.now(), blankSince = null, top = scroller.scrollTop;
  const waiting = new Map();
  const look = (now) => {
    if (!seen.on) return;
    seen.frames++;
    seen.longestFrame = Math.max(seen.longestFrame, now - last);
    last = now;
    if (scroller.scrollTop !== top) seen.moved++;
    top = scroller.scrollTop;
    const area = scroller.getBoundingClientRect();
    const head = scroller.querySelector(".fi-head")?.getBoundingClientRect().bottom ?? area.top;
    const rows = [...scroller.querySelectorAll(".fi-row")].map((e) => [e, e.getBoundingClientRect()]).filter(([, r]) => r.bottom > head && r.top < area.bottom);
    const covered = rows.reduce((n, [e, r]) => n + (e.childElementCount > 0 ? Math.min(r.bottom, area.bottom) - Math.max(r.top, head) : 0), 0);
    const blank = covered < area.bottom - head - 24; // less than a row is missing: the frame's own edge
    if (blank) {
      seen.blank++;
      blankSince ??= now;
      seen.longestBlank = Math.max(seen.longestBlank, performance.now() - blankSince);
    } else blankSince = null;
    const there = new Set();
    for (const [e] of rows) {
      if (e.getAttribute("aria-label") !== "Loading") continue;
      there.add(e.id);
      if (!waiting.has(e.id)) waiting.set(e.id, now), seen.waits++;
      seen.longestWait = Math.max(seen.longestWait, now - waiting.get(e.id));
    }
    for (const id of waiting.keys()) if (!there.has(id)) waiting.delete(id);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function scrolling() {
  const page = await openFindings("?confirmed=false&state=all&hidden=true"); // all that there are
  figure("scrolling: rows of the list", Number(await page.locator(".fi-grid").getAttribute("aria-rowcount")) - 1, "");
  const box = await page.locator(".fi-scroll").boundingBox();
  const first = () => page.locator(".fi-row").first().getAttribute("aria-rowindex").then(Number);
  const ways = {
    "by wheel": async () => {
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      for (let i = 0; i < 120; i++) await page.mouse.wheel(0, i < 100 ? 400 + 20 * i : -3000);
    },
    "by dragging": async () => {
      const x = box.x + box.width - 6;
      await page.mouse.move(x, box.y + 22); // the thumb is at its top: Home went before
      await page.mouse.down();
      for (let i = 0; i <= 120; i++) await page.mouse.move(x, box.y + 22 + ((box.height - 44) * (i <= 80 ? i : 160 - i)) / 80);
      await page.mouse.up();
    },
    "by paging": async () => {
      await page.locator(".fi-grid").focus();
      for (let i = 0; i < 60; i++) await page.keyboard.press(i === 30 ? "End" : i > 30 ? "PageUp" : "PageDown");
    },
  };
  for (const [way, go] of Object.entries(ways)) {
    await page.locator(".fi-grid").focus();
    await page.keyboard.press("Home");
    await until(async () => (await first()) <= 3, "the list is at its top");
    await page.evaluate(watching);
    await go();
    await page.waitForFunction(() => !document.querySelector(".fi-row[aria-label=Loading]"), null, { timeout: 30_000 });
    const seen = await page.evaluate(() => ((window.__scroll.on = false), window.__scroll));
    figure(`scrolling ${way}: longest blank, of ${seen.frames} frames`, seen.longestBlank, "ms", 200);
    figure(`scrolling ${way}: longest time that a row had only its place`, seen.longestWait, "ms");
    figure(`scrolling ${way}: longest time between two frames`, seen.longestFrame, "ms");
    if (seen.moved === 0) throw new Error(`scrolling ${way} moved nothing`);
  }
  await page.close();
}

// Every change leads to a list that was not asked for before: all ways to choose of four decisions, then those of exploited ones.
async function filtering() {
  const page = await openFindings();
  const took = [];
  const order = ["Act", "Attend", "Act", "Plan", "Act", "Attend", "Act", "Track", "Act", "Attend", "Act", "Plan", "Act", "Attend", "Known exploited", "Act", "Attend", "Plan", "Act", "Track"];
  for (const name of order) {
    const button = page.getByRole("search").getByRole("button", { name, exact: true });
    await button.hover();
    await page.evaluate(() => {
      const before = document.querySelector(".fi-grid")?.getAttribute("aria-rowcount") ?? null;
      window.__took = null;
      document.addEventListener("click", () => {
        const begin = performance.now();
        const look = () => {
          const grid = document.querySelector(".fi-grid");
          const rows = grid?.getAttribute("aria-rowcount") ?? null;
          const there = grid ? rows !== before && grid.getAttribute("aria-busy") !== "true" && !grid.querySelector(".fi-row[aria-label=Loading]") && grid.querySelector(".fi-row") : document.querySelector(".fi-list .state");
          if (there) window.__took = performance.now() - begin;
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }, { capture: true, once: true });
    });
    await page.mouse.down();
    await page.mouse.up();
    took.push(await (await page.waitForFunction(() => window.__took, null, { timeout: 30_000 })).jsonValue());
    await page.waitForTimeout(300); // as fast as people click
  }
  figure(`filter change to new rows, middle of ${took.length}`, median(took), "ms", 150);
  figure(`filter change to new rows, p95`, p95(took), "ms");
  figure(`filter change to new rows, the worst`, Math.max(...took), "ms");
  await page.close();
}
