// The server is away and comes back; it stands behind a proxy on a path of its own; and everything goes without a mouse.
import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";

import { accessible, freePort, launch, newData, people, serve, settled, shot, until, visitor } from "./harness.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test("a server that is away: the page says so, keeps what it showed, and goes on when it is back", { timeout: 90_000 }, async () => {
  const server = await serve({ data: newData("estate") });
  try {
    const them = await visitor(browser, server, { as: people.analyst });
    const page = await them.page();
    await page.goto(server.url + "/scans"); // what a page is made of has to have come before the server goes
    await settled(page);
    await page.locator("aside").getByRole("link", { name: "Findings" }).click();
    const row = page.locator('[id^="finding-row-"]:not([aria-label=Loading])').first();
    await row.waitFor();
    await settled(page);
    const shown = await row.innerText();
    await server.stop();
    // The page asks again by itself every while; coming back to its window asks at once.
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
    const says = page.locator("[role=alert]").filter({ hasText: /does not answer/ });
    await page.locator("aside").getByRole("link", { name: "Scans" }).click();
    await says.first().waitFor({ timeout: 40_000 });
    await accessible(page, "the server is away");
    await shot(page, "away-1280-light");
    await page.locator("aside").getByRole("link", { name: "Findings" }).click();
    await row.waitFor();
    assert.equal(await row.innerText(), shown, "what was there stays");
    await shot(page, "away-findings-1280-light");
    await server.start();
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
    await until(async () => (await says.count()) === 0, "the page notices", 60_000);
    await page.locator("aside").getByRole("link", { name: "Scans" }).click();
    await page.locator("main").getByText(/completed/i).first().waitFor();
    // That requests failed meanwhile is what was wanted; that the page broke is not.
    assert.deepEqual(them.seen.errors.filter((e) => !/^5\d\d/.test(e)), []);
    await them.context.close();
  } finally {
    await server.stop();
  }
});

/** proxy shows a server below a path, as reverse proxies do; some take the path off. */
async function proxy(server, path, strips) {
  const port = await freePort();
  const behind = createServer((asked, answer) => {
    if (!asked.url.startsWith(path + "/")) return answer.writeHead(404).end("not of the product");
    const on = request(server.origin + (strips ? asked.url.slice(path.length) : asked.url), { method: asked.method, headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    on.on("error", () => answer.destroy());
    asked.pipe(on);
  });
  behind.on("upgrade", (_, socket) => socket.destroy()); // one that knows no WebSockets
  await new Promise((resolve) => behind.listen(port, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${port}`, stop: () => (behind.closeAllConnections(), new Promise((resolve) => behind.close(resolve))) };
}

for (const strips of [false, true])
  test(`behind a proxy that ${strips ? "takes its path off" : "passes its path on"}`, { timeout: 90_000 }, async () => {
    const server = await serve({ data: newData("estate"), settings: { SERVER_BASE_PATH: "/tools/scout" } });
    const front = await proxy(server, "/tools/scout", strips);
    try {
      const seen = { origin: front.origin, url: front.origin + "/tools/scout" };
      const them = await visitor(browser, seen, {});
      const page = await them.page();
      const astray = [];
      page.on("response", (r) => r.status() === 404 && astray.push(r.url()));
      await page.goto(seen.url + "/findings?kev=true");
      await page.getByLabel("Name", { exact: true }).fill(people.analyst.name);
      await page.getByLabel("Password", { exact: true }).fill(people.analyst.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL(seen.url + "/findings?kev=true");
      await page.locator('[id^="finding-row-"] a').first().waitFor();
      for (const name of ["Assets", "Scans", "Catalogue", "Threats", "Settings", "Today"]) {
        await page.locator("aside").getByRole("link", { name, exact: true }).click();
        await page.waitForURL((url) => url.pathname.startsWith("/tools/scout/"));
        await settled(page);
        await page.reload();
        await settled(page);
      }
      // A scan is heard of also where the proxy lets no WebSocket through.
      await page.goto(seen.url + "/scans?start=true");
      await page.getByLabel("Targets").fill("127.0.0.1");
      const start = page.getByRole("button", { name: "Start the scan" });
      await until(() => start.isEnabled(), "the scan can be started");
      await start.click();
      await page.waitForURL(/\/tools\/scout\/scans\/\d+/);
      await page.getByRole("button", { name: "Repeat" }).waitFor({ timeout: 45_000 });
      assert.deepEqual(astray, [], "something is looked for where it is not");
      await them.check(page);
      await them.context.close();
    } finally {
      await front.stop();
      await server.stop();
    }
  });

/** walk presses Tab through a page and returns what had the focus, in order. */
async function walk(page, most) {
  const out = [];
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(async () => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      window.__walk ??= new Map();
      if (!window.__walk.has(e)) window.__walk.set(e, window.__walk.size);
      const box = e.getBoundingClientRect();
      // The ring may be drawn by the element or by what surrounds it: something has to look different with the focus.
      const look = () => {
        const out = [];
        const around = [e.nextElementSibling, e.previousElementSibling].filter(Boolean);
        for (let n = e, i = 0; n && i < 9; n = n.parentElement, i++) around.push(n);
        for (const n of around)
          for (const part of [null, "::after", "::before"]) {
            const s = getComputedStyle(n, part);
            if (part && s.content === "none") continue;
            out.push(s.outlineStyle === "none" ? "" : s.outline, s.boxShadow, s.borderColor, s.borderWidth, s.backgroundColor, s.top);
          }
        return out.join("|");
      };
      const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      // Colours that move have arrived when their transitions have ended, however slow the machine draws.
      const arrived = async () => {
        await frame();
        const moving = document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished.catch(() => {}));
        await Promise.race([Promise.all(moving), new Promise((resolve) => setTimeout(resolve, 1000))]);
      };
      let on = look();
      e.blur();
      let off = look();
      if (on === off) {
        await arrived();
        off = look();
        e.focus({ preventScroll: true });
        await arrived();
        on = look();
      }
      e.focus({ preventScroll: true });
      return { n: window.__walk.get(e), name: (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || e.tagName).trim().slice(0, 50) || e.tagName, ring: on !== off, seen: box.width > 0 && box.height > 0 && getComputedStyle(e).visibility !== "hidden", hidden: e.closest("[aria-hidden=true], [inert]") !== null };
    });
    if (at === null || (out.length > 3 && at.n === 0)) break;
    out.push(at);
  }
  return out;
}

test("by Tab alone: each page is walked through, the focus is always seen, and nothing holds it", { timeout: 120_000 }, async () => {
  const server = await serve({ data: newData("estate") });
  try {
    const them = await visitor(browser, server, { as: people.admin });
    const page = await them.page();
    for (const path of ["/", "/findings", "/assets", "/scans", "/import", "/catalogue", "/threats", "/settings/users", "/catalogue/CVE-2021-41773"]) {
      await page.goto(server.url + path);
      await settled(page);
      const steps = await walk(page, 120);
      assert.ok(steps.length > 12, `${path}: only ${steps.length} steps`);
      assert.match(steps[0].name, /skip/i, `${path} begins with ${steps[0].name}`);
      assert.deepEqual(steps.filter((s) => !s.seen || s.hidden).map((s) => s.name), [], `${path}: the focus is where nothing is seen`);
      assert.deepEqual(steps.filter((s) => !s.ring).map((s) => s.name), [], `${path}: the focus is not to be seen`);
      const held = steps.findIndex((s, i) => i > 2 && s.n === steps[i - 1].n && s.n === steps[i - 2].n);
      assert.equal(held, -1, `${path}: ${steps[held]?.name} holds the focus`);
    }
    // The first step leads past the navigation.
    await page.goto(server.url + "/scans");
    await settled(page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
    // A dialog takes the focus, keeps it while it is open, and gives it back.
    await page.keyboard.press("Control+k");
    await page.locator("input[role=combobox]:focus").waitFor();
    for (let i = 0; i < 4; i++) await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement?.closest("[role=dialog]") !== null), "the focus left an open dialog");
    await page.keyboard.press("Escape");
    await until(async () => (await page.getByRole("dialog").count()) === 0, "Esc closes it");
    await them.check(page);
    await them.context.close();
  } finally {
    await server.stop();
  }
});
