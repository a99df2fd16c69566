// What the browser tests rest on: the built command as a server on a free port with a data folder of its own, a browser in
// which nothing hostile goes unseen, and people who are signed in. Everything that is started here ends with the test, by
// its process id.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const binary = process.env.TEST_PATCHSCOUT ?? here("../../bin/patchscout");
export const fixture = (name) => here("fixtures/" + name);
export const artefacts = process.env.TEST_ARTEFACTS ?? here("../artefacts");
export const scratch = mkdtempSync(join(tmpdir(), "patchscout-ui-"));
mkdirSync(artefacts, { recursive: true });

const running = new Set();

// However a test ends, what it started ends too.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** browserPath is a Chromium of this system. */
export function browserPath() {
  const names = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome-stable", "/usr/bin/google-chrome"];
  const found = names.find((name) => name && existsSync(name));
  assert.ok(found, "there is no Chromium: make setup-ui, or CHROMIUM=path");
  return found;
}

// Settings of whoever runs the tests are not those of the tests.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PATCHSCOUT_")));

/** command runs the command to its end and returns what it printed. */
export function command(data, ...args) {
  const done = spawnSync(binary, ["--data-dir", data, ...args], { env: environment, encoding: "utf8", timeout: 60_000 });
  assert.equal(done.status, 0, `patchscout ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

/** newData is an empty data folder; with the name of one that was prepared (run.mjs) a copy of it. */
export function newData(prepared) {
  const data = mkdtempSync(join(scratch, "data-"));
  if (prepared) cpSync(join(process.env.TEST_PREPARED, prepared), data, { recursive: true });
  return data;
}

/** freePort is one that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const asking = createServer().on("error", reject);
    asking.listen(0, "127.0.0.1", () => {
      const { port } = asking.address();
      asking.close(() => resolve(port));
    });
  });
}

/** serve starts the command on a data folder. Without a prepared one the first password is in `password`. */
export async function serve({ data = newData(), auth = "on", settings = {}, port, within = 30_000 } = {}) {
  const listen = `127.0.0.1:${port ?? (await freePort())}`;
  const env = { ...environment, ...Object.fromEntries(Object.entries(settings).map(([k, v]) => ["PATCHSCOUT_" + k, v])) };
  const server = { data, url: "", password: null, log: "", listen, base: settings.SERVER_BASE_PATH ?? "" };
  const start = async () => {
    const child = spawn(binary, ["--data-dir", data, "serve", "--auth", auth, "--listen", listen], { env, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    child.ended = new Promise((resolve) => child.on("exit", (code) => (running.delete(child), resolve(code))));
    const hear = (chunk) => (server.log += chunk);
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    server.child = child;
    server.log = "";
    await until(() => /listens on http/.test(server.log) || child.exitCode !== null, "the server listens", within);
    assert.equal(child.exitCode, null, server.log);
    server.password ??= /with the password (\S+)/.exec(server.log)?.[1] ?? null;
    server.origin = `http://${listen}`;
    server.url = server.origin + server.base;
    await until(async () => (await fetch(server.origin + "/health/ready").catch(() => null))?.ok, "the server is ready", 30_000);
  };
  server.stop = async () => {
    server.child.kill("SIGTERM");
    const killer = setTimeout(() => server.child.kill("SIGKILL"), 10_000);
    await server.child.ended;
    clearTimeout(killer);
  };
  server.start = start;
  await start();
  return server;
}

/** until waits for something that has no event. */
export async function until(fn, what, ms = 15_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await fn();
    if (value) return value;
    assert.ok(Date.now() < end, `${what}: not within ${ms / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** People of the prepared data folders (run.mjs). */
export const people = {
  admin: { name: "admin", password: "first-of-all-admins-27" },
  analyst: { name: "anna", password: "reads-and-decides-2027" },
  viewer: { name: "vera", password: "only-looks-at-it-2027" },
};

export const launch = (options = {}) => chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox", "--disable-dev-shm-usage"], ...options });

/**
 * visitor is a browser's context in which nothing goes unseen. check() fails when a script of somebody else ran, a dialog
 * opened, the page broke, the policy was violated, or a request left the server.
 */
export async function visitor(browser, server, { as, scheme = "light", width = 1280, height = 860, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(12_000);
  context.setDefaultNavigationTimeout(15_000);
  const seen = { dialogs: [], violations: [], outside: [], errors: [], refused: [], strays: [] };
  await context.exposeBinding("__violated", (_, what) => seen.violations.push(what));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => window.__violated(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile ?? ""}:${e.lineNumber} ${e.sample}`));
  });
  const origin = server.origin;
  await context.route((url) => url.origin !== origin && url.protocol !== "data:" && url.protocol !== "blob:", (route) => (seen.outside.push(route.request().url()), route.abort()));
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (/__ran|onerror|%3Cscript|<script|collect\.example/i.test(decode(url.pathname)) && !/\/(api|findings|import|assets|catalogue)/.test(url.pathname)) seen.strays.push(request.url());
  });
  context.on("response", (response) => {
    if (response.status() === 403) seen.refused.push(`${response.request().method()} ${response.url()}`);
    if (response.status() >= 500) seen.errors.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  context.on("page", (page) => {
    page.on("dialog", (dialog) => (seen.dialogs.push(dialog.message()), dialog.dismiss()));
    page.on("pageerror", (error) => seen.errors.push(String(error.stack ?? error)));
    page.on("console", (message) => {
      const text = message.text();
      // The browser itself says of every answer of 400 and more that it failed; what the page makes of it is tested where it matters.
      if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(text)) seen.errors.push(`console: ${text}`);
    });
  });
  if (as) await signIn(context, server, as);
  const check = async (page) => {
    assert.deepEqual(seen.dialogs, [], "a dialog opened");
    assert.deepEqual(seen.violations, [], "the policy was violated");
    assert.deepEqual(seen.outside, [], "a request left the server");
    assert.deepEqual(seen.strays, [], "markup of somebody else loads something");
    assert.deepEqual(seen.errors, [], "the page broke");
    if (page) {
      assert.equal(await page.evaluate(() => window.__ran), undefined, "a script of somebody else ran");
      assert.equal(await page.locator("img[onerror], img[src='x'], #root script, [href^='javascript:' i], [href^='data:' i], [src*='collect.example'], [href*='collect.example.net' i]:not([rel~=noreferrer])").count(), 0, "markup of somebody else is in the page");
    }
  };
  return { context, seen, check, page: () => context.newPage(), url: (path) => server.url + path };
}

const decode = (path) => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/** signIn gives a context the session of somebody, as the page of sign-in would. */
export async function signIn(context, server, who) {
  const answer = await context.request.post(server.url + "/api/v1/auth/login", { data: who });
  assert.equal(answer.status(), 200, await answer.text());
  return answer.json();
}

/** settled waits until a page shows what it is for: its heading, and no part that is still loading. */
export async function settled(page, ms = 15_000) {
  await page.locator("h1").first().waitFor({ timeout: ms });
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), null, { timeout: ms });
  await page.evaluate(() => document.fonts.ready.then(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))));
}

const axe = readFileSync(here("../node_modules/axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** accessible fails on what axe finds, and says where. */
export async function accessible(page, where) {
  // A colour that is on its way is not the one that people see.
  await page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await Promise.race([Promise.allSettled(document.getAnimations().map((a) => a.finished)), new Promise((resolve) => setTimeout(resolve, 500))]);
  });
  const found = await page.evaluate(
    async ({ axe, tags }) => {
      if (!window.axe) (0, eval)(axe);
      const { violations } = await window.axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
      return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 4).map((n) => `${n.target.join(" ")} (${(n.any[0] ?? n.all[0] ?? n.none[0])?.message ?? ""})`).join("; ")}`);
    },
    { axe, tags },
  );
  assert.ok(found.length === 0, `axe: ${where}: ${found.join("\n")}`);
}

/** shot keeps a picture of a page among the artefacts. */
export async function shot(page, name, options = {}) {
  await page.screenshot({ path: join(artefacts, `${name}.png`), animations: "disabled", ...options });
}

/** fits fails when the page itself scrolls sideways. */
export async function fits(page, where) {
  const wide = await page.evaluate(() => {
    const all = document.documentElement;
    if (all.scrollWidth <= all.clientWidth) return null;
    const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > all.clientWidth + 1 && getComputedStyle(e).position !== "fixed");
    return `${all.scrollWidth} px in ${all.clientWidth} px: ` + out.slice(0, 4).map((e) => `${e.tagName}.${e.className}`).join(", ");
  });
  assert.equal(wide, null, `${where} scrolls sideways`);
}

/** Faults collects what is wrong with a page, so that one look at it tells everything. */
export class Faults {
  all = [];

  async of(check) {
    try {
      await check;
    } catch (error) {
      this.all.push(error.message.trim());
    }
  }

  none() {
    assert.ok(this.all.length === 0, this.all.join("\n"));
  }
}

/** kept is the name of a test for a file. */
export const kept = (name) => basename(name).replace(/[^a-z0-9-]+/gi, "-").toLowerCase();
