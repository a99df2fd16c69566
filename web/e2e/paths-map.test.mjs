// The map of attack paths: the list that says the same, keys, the search, what a host exposes, and that it goes without WebGL.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, Faults, fits, launch, newData, people, serve, settled, shot, signIn, until, visitor } from "./harness.mjs";
import { inert } from "./looks.mjs";

const hostile = '<img src=x onerror="window.__ran=6">\u202egpj.exe\u0007';

let server, browser, them, page, main;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
  const admin = await visitor(browser, server);
  const { csrf_token } = await signIn(admin.context, server, people.admin);
  const ask = admin.context.request;
  const found = (await (await ask.get(`${server.url}/api/v1/assets?search=10.20.0.6`)).json()).hosts[0];
  const tagged = await ask.patch(`${server.url}/api/v1/assets/${found.id}`, { headers: { "X-CSRF-Token": csrf_token }, data: { tags: ["jewel"], criticality: "critical" } });
  assert.ok(tagged.ok(), await tagged.text());
  await admin.context.close();
  them = await visitor(browser, server, { as: people.viewer });
  page = await them.page();
  main = page.locator("main");
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const inside = "/paths?tab=map&from=site:default";
const drawn = (on = page) => on.locator(".pm-canvas[data-state=there]");
const open = async (path, on = page) => {
  await on.goto(server.url + path);
  await settled(on);
};
const list = (on = page) => on.getByRole("listbox", { name: "Everything on the map" });
const param = (name) => new URL(page.url()).searchParams.get(name);
const side = () => page.getByRole("complementary", { name: "Chosen on the map" });

test("by keys alone: from the list to a jewel, what leads to it, and back", { timeout: 60_000 }, async () => {
  await open("/paths?from=site:default");
  await page.getByRole("tab", { name: "Map" }).click();
  await page.waitForURL(/tab=map/);
  assert.equal(param("from"), "site:default", "the scenario goes along");
  await drawn().waitFor();
  await list().focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  const names = await list().getByRole("option").allInnerTexts();
  const at = names.findIndex((n) => n.includes("10.20.0.6"));
  assert.ok(at > 0, names.join("; "));
  for (let i = 0; i < at; i++) await page.keyboard.press("ArrowDown");
  const active = await list().getAttribute("aria-activedescendant");
  assert.match(await page.locator(`#${active}`).textContent(), /10\.20\.0\.6\D*\d+ %, (a user|root), a jewel, site default, on a best way/);
  await page.keyboard.press("Enter");
  await side().getByRole("heading", { name: "10.20.0.6" }).waitFor();
  assert.match(param("node"), /^host:\d+$/);
  assert.match(await side().innerText(), /a jewel[\s\S]*Falls by/);
  await side().getByRole("button", { name: "What leads to it?" }).click();
  await side().getByText(/somebody who holds them can get to it/).waitFor();
  await side().getByRole("listitem").first().waitFor();
  await page.reload();
  await side().getByText(/somebody who holds them can get to it/).waitFor();
  assert.match(await side().getByRole("link", { name: "The host" }).getAttribute("href"), /\/assets\/\d+$/);
  await drawn().waitFor();
  await shot(page, "paths-map-node-1280-light");
  await side().getByRole("button", { name: "Close" }).press("Escape");
  await until(() => !param("node"), "it is closed");
  await them.check(page);
});

test("a search flies to a host, a filter leaves what matters, and both stand in the address", { timeout: 60_000 }, async () => {
  await open(inside);
  await drawn().waitFor();
  const all = Number(await list().getByRole("option").first().getAttribute("aria-setsize"));
  await main.getByRole("button", { name: /Best ways to jewels/ }).click();
  await until(async () => Number(await list().getByRole("option").first().getAttribute("aria-setsize")) < all, "less is listed");
  assert.equal(param("show"), "ways");
  await main.getByRole("button", { name: /Everything/ }).click();
  await main.getByRole("searchbox", { name: "Find on the map" }).fill("10.20.0.7");
  await page.keyboard.press("Enter");
  await side().getByRole("heading").waitFor();
  assert.match(await side().innerText(), /10\.20\.0\.7/);
  await main.getByRole("searchbox", { name: "Find on the map" }).fill("no such host");
  await main.getByText("Nothing on the map is called that").waitFor();
  await them.check(page);
});

test("the picture answers the mouse", { timeout: 60_000 }, async () => {
  await open(`${inside}&show=ways`);
  await drawn().waitFor();
  const box = await drawn().boundingBox();
  await until(async () => {
    for (let x = 20; x < box.width; x += 14) for (const y of [0.08, 0.14, 0.2, 0.3, 0.4, 0.5]) {
      await page.mouse.move(box.x + x, box.y + box.height * y);
      if (await page.locator(".pm-card").count()) return true;
    }
    return false;
  }, "a card is shown", 30_000);
  await page.mouse.down();
  await page.mouse.up();
  await side().waitFor();
  await page.getByRole("button", { name: "Nearer" }).click();
  await page.getByRole("button", { name: "The whole map" }).click();
  await them.check(page);
});

test("names of others do nothing, in the list and in the picture", { timeout: 60_000 }, async () => {
  const visits = await visitor(browser, server, { as: people.viewer });
  const own = await visits.page();
  await own.route("**/attack-paths/map?*", async (route) => {
    const map = await (await route.fetch()).json();
    for (const n of map.nodes) if (n.kind === "host" || n.kind === "group") n.name = hostile + n.name;
    await route.fulfill({ json: map });
  });
  await open(inside, own);
  await drawn(own).waitFor();
  await own.getByText("<img src=x onerror").first().waitFor();
  await inert(own, "the map");
  await list(own).getByRole("option").filter({ hasText: "<img" }).first().click();
  await own.getByRole("complementary", { name: "Chosen on the map" }).waitFor();
  await inert(own, "a node of the map");
  await visits.check(own);
  await visits.context.close();
});

test("5,000 nodes are drawn, and the list goes to the last of them", { timeout: 90_000 }, async () => {
  const visits = await visitor(browser, server, { as: people.viewer });
  const own = await visits.page();
  await own.route("**/attack-paths/map?*", (route) => route.fulfill({ json: big() }));
  await open(inside, own);
  await drawn(own).waitFor({ timeout: 30_000 });
  await list(own).focus();
  await own.keyboard.press("End");
  const active = await list(own).getAttribute("aria-activedescendant");
  assert.equal(await own.locator(`#${active}`).getAttribute("aria-posinset"), "5000");
  assert.ok((await own.getByRole("option").count()) < 60, "only what is in sight is in the page");
  await shot(own, "paths-map-5000-1280-light");
  await visits.check(own);
  await visits.context.close();
});

function big() {
  const node = { site: null, hosts: 1, host_id: null, members: [], jewel: false, reached: false, privilege: "none", chance: 0, on_path: false };
  const nodes = [{ ...node, id: "entry:internet", kind: "entry", name: "the internet", hosts: 0, reached: true, chance: 1, on_path: true }];
  const edges = [];
  for (let s = 0; s < 99; s++) {
    nodes.push({ ...node, id: `site:s${s}`, kind: "site", name: `s${s}`, site: `s${s}`, hosts: 49 });
    edges.push({ from: s < 4 ? "entry:internet" : `site:s${s >> 2}`, to: `site:s${s}`, kind: "reaches", chance: 1, known: ["observed", "policy", "assumed"][s % 3], findings: 0, on_path: s % 9 === 0 });
  }
  for (let i = 0; i < 4900; i++) {
    const reached = i % 3 > 0 && i % 99 < 80;
    nodes.push({ ...node, id: `host:${i + 1}`, kind: "host", name: `10.${i % 99}.${i >> 8}.${i & 255}`, site: `s${i % 99}`, host_id: i + 1, jewel: i % 120 === 0, reached, privilege: reached ? "root" : "none", chance: reached ? (i % 100) / 100 : 0 });
    edges.push({ from: `site:s${i % 99}`, to: `host:${i + 1}`, kind: "exploits", chance: 0.9, known: "observed", findings: 2, on_path: false });
  }
  return { nodes, edges, folded: 0, complete: true, incomplete: null, notices: [] };
}

test("without a graphics card, or when it is taken away, the list stays and says so", { timeout: 60_000 }, async () => {
  await open(inside);
  await drawn().waitFor();
  await page.locator("canvas.sigma-nodes").evaluate((c) => (c.getContext("webgl2") ?? c.getContext("webgl")).getExtension("WEBGL_lose_context").loseContext());
  await main.getByText(/took the graphics card away/).waitFor();
  assert.ok((await list().getByRole("option").count()) > 3);
  await main.getByRole("button", { name: "Draw it again" }).click();
  await drawn().waitFor();
  await them.check(page);
  const visits = await visitor(browser, server, { as: people.viewer });
  await visits.context.addInitScript(() => {
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return /webgl/.test(kind) ? null : real.call(this, kind, ...rest); };
  });
  const own = await visits.page();
  await open(inside, own);
  await own.getByText(/draws no pictures by its graphics card/).waitFor();
  await list(own).getByRole("option").nth(2).click();
  await own.getByRole("complementary", { name: "Chosen on the map" }).waitFor();
  await accessible(own, "the map without a picture");
  await visits.check(own);
  await visits.context.close();
});

test("what does not fit in an address is left out", { timeout: 60_000 }, async () => {
  await open("/paths?tab=map&show=purple&node=%3Cscript%3E&way=up&find=7&from=file:/x");
  await list().or(main.getByText("Nothing on the map")).waitFor();
  await open("/paths?tab=map&node=host:999999999");
  await drawn().waitFor();
  await them.check(page);
});

for (const scheme of ["light", "dark"])
  test(`the map in ${scheme} is for everybody, at every size`, { timeout: 90_000 }, async () => {
    const visits = await visitor(browser, server, { as: people.analyst, scheme });
    const own = await visits.page();
    const faults = new Faults();
    for (const size of [{ width: 1280, height: 860 }, { width: 360, height: 780 }, { width: 2560, height: 1440 }]) {
      await own.setViewportSize(size);
      await open(inside, own);
      await drawn(own).waitFor();
      await shot(own, `paths-map-${size.width}-${scheme}`, { fullPage: size.width === 360 });
      await faults.of(fits(own, `the map at ${size.width} px`));
      if (size.width === 2560) continue;
      await faults.of(accessible(own, `the map at ${size.width} px in ${scheme}`));
      await list(own).getByRole("option").filter({ hasText: "10.20.0.6" }).first().click();
      await own.getByRole("button", { name: "What does it expose?" }).click();
      await own.getByText(/can take/).first().waitFor();
      await faults.of(fits(own, `a node at ${size.width} px`));
      await faults.of(accessible(own, `a node at ${size.width} px in ${scheme}`));
    }
    await faults.of(visits.check(own));
    await visits.context.close();
    faults.none();
  });
