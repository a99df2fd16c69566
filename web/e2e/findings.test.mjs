// The list of findings: narrowed, sorted, grouped, selected, judged, taken back, kept as a view; by mouse and by keys.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, fixture, launch, newData, people, serve, settled, shot, until, visitor } from "./harness.mjs";
import { inert } from "./looks.mjs";

let server, browser, them, page, rows, grid;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
  them = await visitor(browser, server, { as: people.analyst, width: 1600, height: 1000 });
  page = await them.page();
  rows = page.locator('[role=row][id^="finding-row-"]:not([aria-label=Loading])');
  grid = page.getByRole("grid", { name: "Findings" });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = async (path) => {
  await page.goto(server.url + path);
  await rows.first().waitFor();
  await settled(page);
};
const total = async () => Number(await grid.getAttribute("aria-rowcount")) - 1;
const steady = () => until(async () => (await grid.getAttribute("aria-busy")) !== "true", "the list is there");
const ask = async (query) => (await them.context.request.get(`${server.url}/api/v1/findings?${query}`)).json();

test("filters narrow the list, stand in the address, and survive reload and back", { timeout: 60_000 }, async () => {
  await open("/findings");
  const all = await total();
  assert.equal(all, (await ask("confirmed=true&limit=1")).total);
  const bar = page.getByRole("search");
  await bar.getByRole("button", { name: "Known exploited" }).click();
  await until(async () => (await total()) < all, "the list is shorter");
  const exploited = await total();
  assert.equal(exploited, (await ask("confirmed=true&kev=true&limit=1")).total);
  assert.equal(new URL(page.url()).searchParams.get("kev"), "true");
  await page.getByLabel("Search findings").fill("apache");
  await until(async () => (await total()) < exploited, "the list is shorter still");
  await page.reload();
  await rows.first().waitFor();
  assert.match(await rows.first().innerText(), /apache/i);
  assert.equal(await page.getByLabel("Search findings").inputValue(), "apache");
  assert.equal(await bar.getByRole("button", { name: "Known exploited" }).getAttribute("aria-pressed"), "true");
  await page.goBack();
  await until(async () => (await total()) === exploited, "back is the list before");
  await page.goBack();
  await until(async () => (await total()) === all, "and the one before that");
  await them.check(page);
});

test("what does not fit in an address is left out", { timeout: 60_000 }, async () => {
  await open("/findings?severity=purple&sort=__proto__&open=-1&min_cvss=%3Cscript%3E&unknown=1&decision=act,%22%3E%3Cimg%20src=x%3E");
  assert.ok((await total()) > 0);
  await them.check(page);
});

test("columns sort, and groups sum up", { timeout: 60_000 }, async () => {
  await open("/findings");
  await page.getByRole("columnheader", { name: "CVSS" }).getByRole("button").click();
  await page.waitForURL(/sort=cvss/);
  await steady();
  assert.equal(await page.getByRole("columnheader", { name: "CVSS" }).getAttribute("aria-sort"), "descending");
  await until(async () => /10\.0/.test(await rows.first().innerText()), "the highest is first");
  await page.getByRole("columnheader", { name: "CVSS" }).getByRole("button").click();
  await until(async () => (await page.getByRole("columnheader", { name: "CVSS" }).getAttribute("aria-sort")) === "ascending", "the other way round");
  await page.getByRole("button", { name: "Group", exact: true }).click();
  await page.locator("[role^=menuitem]").filter({ hasText: /^Host$/ }).click();
  await page.waitForURL(/group=host/);
  const list = page.locator("main");
  await list.getByText("10.20.0.5").first().waitFor();
  await settled(page);
  await accessible(page, "findings by host");
  await inert(page, "findings by host");
  await shot(page, "findings-by-host-1280-light");
  await page.reload();
  await list.getByText("10.20.0.5").first().waitFor();
  await them.check(page);
});

test("a finding beside the list says why, by whom, and what to do", { timeout: 60_000 }, async () => {
  await open("/findings?host=10.20.0.6");
  await rows.first().click();
  await page.waitForURL(/open=\d+/);
  const panel = page.locator(".fi-panel");
  await panel.getByRole("heading").first().waitFor();
  await settled(page);
  const text = await panel.innerText();
  for (const words of [/CVE-2011-2523/, /openvas/i, /9\.8|10\.0/]) assert.match(text, words);
  await accessible(page, "a finding beside the list");
  await shot(page, "findings-panel-1280-light");
  await page.reload();
  await panel.getByText("CVE-2011-2523").first().waitFor();
  await page.keyboard.press("Escape");
  await until(async () => (await panel.count()) === 0, "Esc closes it");
  await them.check(page);
});

test("evidence of hostile reports is shown as it is and does nothing", { timeout: 60_000 }, async () => {
  const hostile = (await ask("search=__ran&limit=20")).findings.concat((await ask("host=10.66.6.8&limit=20")).findings);
  assert.ok(hostile.length > 0, "no hostile finding is there");
  for (const f of hostile.slice(0, 4)) {
    await page.goto(`${server.url}/findings/${f.id}`);
    await settled(page);
    for (const more of await page.locator("main summary").all()) await more.click();
    await page.locator("main").getByText(/<script>|<img/).first().waitFor();
    await inert(page, `finding ${f.id}`);
    await them.check(page);
  }
  await shot(page, "finding-hostile-1280-light", { fullPage: true });
});

test("many are selected, judged at once, and the judgement is taken back", { timeout: 60_000 }, async () => {
  await open("/findings?search=10.20.0.5");
  const before = await total();
  assert.ok(before > 3);
  await rows.nth(0).getByRole("gridcell").first().click();
  await rows.nth(2).getByRole("gridcell").first().click({ modifiers: ["Shift"] });
  const bar = page.getByRole("toolbar", { name: "For the selected findings" });
  await bar.getByText("3 findings").waitFor();
  await bar.getByRole("button", { name: /False positive/ }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("textbox").first().fill("the banner is made up");
  await accessible(page, "the form of a judgement");
  await shot(page, "findings-triage-1280-light");
  await form.getByRole("button", { name: /false positive|save|apply|set/i }).last().click();
  await until(async () => (await total()) === before - 3, "they are gone from what is open");
  assert.equal((await ask("search=10.20.0.5&triage=false_positive&hidden=true&limit=1")).total, 3);
  await page.getByRole("button", { name: "Undo" }).first().click();
  await until(async () => (await total()) === before, "they are back");
  assert.equal((await ask("search=10.20.0.5&triage=false_positive&hidden=true&limit=1")).total, 0);
  await them.check(page);
});

test("a view is saved, found again, and deleted", { timeout: 60_000 }, async () => {
  await open("/findings?kev=true&sort=cvss");
  const views = page.locator(".page-actions button").first();
  await views.click();
  await page.getByRole("menuitem", { name: /Save what is chosen/ }).click();
  const name = "Mondays \u202eyadnoM <img src=x onerror=window.__ran=1>";
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await until(async () => (await page.getByRole("dialog").count()) === 0, "it is saved");
  await open("/findings");
  await views.click();
  await page.getByRole("menuitem", { name: /Mondays/ }).click();
  await page.waitForURL(/kev=true/);
  assert.match(page.url(), /sort=cvss/);
  await inert(page, "a view with a hostile name");
  await views.click();
  await page.getByRole("menuitem", { name: /Delete/ }).click();
  await until(async () => (await (await them.context.request.get(server.url + "/api/v1/views")).json()).views.length === 0, "it is deleted");
  await them.check(page);
});

test("everything goes by keys alone", { timeout: 60_000 }, async () => {
  await open("/findings?search=10.20.0.5");
  await grid.focus();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  assert.equal(await grid.getAttribute("aria-activedescendant"), "finding-row-1");
  await page.keyboard.press("x");
  await page.getByRole("toolbar", { name: "For the selected findings" }).waitFor();
  await page.keyboard.press("Escape");
  await until(async () => (await page.getByRole("toolbar", { name: "For the selected findings" }).count()) === 0, "Esc takes the selection off");
  await page.keyboard.press("Enter");
  await page.locator(".fi-panel").getByRole("heading").first().waitFor();
  const first = page.url();
  await page.keyboard.press("j");
  await until(() => page.url() !== first, "the next one");
  await page.keyboard.press("Escape");
  await page.keyboard.press("End");
  await until(async () => (await grid.getAttribute("aria-activedescendant")) === `finding-row-${(await total()) - 1}`, "the last one");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Search findings");
  await them.check(page);
});

test("what an import brings is there when one comes back to the list", { timeout: 60_000 }, async () => {
  await open("/findings?state=all&hidden=true&confirmed=false");
  const before = await total();
  await page.goto(server.url + "/import");
  await page.getByLabel("Files to import").setInputFiles({ name: "again.jsonl", mimeType: "", buffer: Buffer.from((await import("node:fs")).readFileSync(fixture("nuclei.jsonl"), "utf8").replaceAll("10.20.0.5", "10.20.0.9")) });
  await page.locator(".queue-ledger").first().waitFor();
  await page.locator("aside").getByRole("link", { name: "Findings" }).click();
  await page.goto(server.url + "/findings?state=all&hidden=true&confirmed=false");
  await until(async () => (await total()) === before + 1, "one more");
  await them.check(page);
});
