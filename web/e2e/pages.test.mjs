// The catalogue, the assets, the threats: looking something up, following what belongs together, coming back to it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, newData, people, serve, settled, until, visitor } from "./harness.mjs";

let server, browser, them, page, main;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
  them = await visitor(browser, server, { as: people.analyst });
  page = await them.page();
  main = page.locator("main");
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = async (path) => {
  await page.goto(server.url + path);
  await settled(page);
};
const address = () => new URL(page.url());

test("the catalogue finds a CVE by words, and its page tells whose hosts have it", { timeout: 60_000 }, async () => {
  await open("/catalogue");
  await page.getByLabel("Search CVEs").fill("vsftpd");
  await main.getByText("CVE-2011-2523").first().waitFor();
  assert.match(page.url(), /vsftpd/, "what is looked for stands in the address");
  await page.reload();
  await main.getByText("CVE-2011-2523").first().click();
  await page.waitForURL(/\/catalogue\/CVE-2011-2523/);
  await settled(page);
  const text = await main.innerText();
  assert.match(text, /CVE-2011-2523/);
  assert.match(text, /10\.20\.0\.6/, "the host that has it");
  await page.goBack();
  await page.waitForURL(/\/catalogue\?.*vsftpd/);
  await main.getByText("CVE-2011-2523").first().waitFor();
  assert.equal(await page.getByLabel("Search CVEs").inputValue(), "vsftpd");
  await them.check(page);
});

test("a CVE that nobody knows is said to be unknown", { timeout: 60_000 }, async () => {
  await open("/catalogue/CVE-1999-99999999");
  assert.match(await main.innerText(), /no such|not known|unknown|not in/i);
  await them.check(page);
});

test("a host's page has its services, and leads to its findings", { timeout: 60_000 }, async () => {
  await open("/assets");
  await main.getByText("10.20.0.6").first().waitFor();
  await main.getByRole("link", { name: /10\.20\.0\.6|files\.example/ }).first().click();
  await page.waitForURL(/\/assets\/\d+/);
  await settled(page);
  const text = await main.innerText();
  assert.match(text, /vsftpd/i);
  assert.match(text, /files\.example\.org/);
  assert.match(text, /CVE-2011-2523/);
  await page.reload();
  await settled(page);
  assert.match(await main.innerText(), /vsftpd/i);
  await them.check(page);
});

test("hosts, services, software and sites: what is chosen is in the address", { timeout: 60_000 }, async () => {
  await open("/assets");
  const tabs = main.getByRole("tab");
  await tabs.first().waitFor();
  const names = (await tabs.allInnerTexts()).map((t) => t.trim());
  assert.ok(names.some((n) => /services/i.test(n)) && names.some((n) => /sites/i.test(n)), names.join(", "));
  await main.getByRole("tab", { name: /services/i }).click();
  await main.getByText(/vsftpd/i).first().waitFor();
  const there = page.url();
  await page.reload();
  await main.getByText(/vsftpd/i).first().waitFor();
  assert.equal(page.url(), there);
  await page.goBack();
  await main.getByText("10.20.0.6").first().waitFor();
  await them.check(page);
});

test("threats: exploited CVEs, the matrix, indicators, feeds", { timeout: 90_000 }, async () => {
  await open("/threats");
  const tabs = main.getByRole("tab");
  const n = await tabs.count();
  assert.ok(n >= 4, `${n} tabs`);
  for (let i = 0; i < n; i++) {
    await tabs.nth(i).click();
    await settled(page);
    assert.equal(await tabs.nth(i).getAttribute("aria-selected"), "true");
    const text = await main.innerText();
    assert.ok(text.length > 80, `tab ${i} is empty: ${text}`);
    const there = page.url();
    await page.reload();
    await settled(page);
    assert.equal(page.url(), there);
    assert.equal(await tabs.nth(i).getAttribute("aria-selected"), "true", "the tab survives a reload");
  }
  await them.check(page);
});

test("a technique's page", { timeout: 60_000 }, async () => {
  await open("/threats/T1190");
  assert.match(await main.innerText(), /T1190/);
  await them.check(page);
});

test("today leads to what is behind each of its numbers", { timeout: 60_000 }, async () => {
  await open("/");
  assert.ok((await main.innerText()).match(/\d/), "no number at all");
  const links = main.locator('a[href*="findings"]');
  await links.first().waitFor();
  const hrefs = await links.evaluateAll((all) => all.map((a) => a.href));
  assert.ok(hrefs.length >= 3, `${hrefs.length} links to findings`);
  await links.first().click();
  await page.waitForURL(/\/findings/);
  await settled(page);
  await page.goBack();
  await until(() => address().pathname === "/", "back to today");
  await them.check(page);
});

test("the palette goes to a host, a CVE, a page by keys alone", { timeout: 60_000 }, async () => {
  await open("/");
  const search = async (text, option) => {
    await page.keyboard.press("Control+k");
    await page.locator("input[role=combobox][aria-label=Search]:focus").waitFor();
    await page.keyboard.type(text);
    // What starts with it: the way to ask about it has the words, too, and is there at once.
    await page.getByRole("option").filter({ hasText: new RegExp(`^\\s*${option.replaceAll(".", "\\.")}`) }).first().waitFor();
    const chosen = page.locator("[role=option][aria-selected=true]");
    for (let i = 0; i < 30 && !(await chosen.innerText()).startsWith(option); i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
  };
  await search("10.20.0.5", "10.20.0.5");
  await page.waitForURL(/\/assets\/\d+/);
  await search("CVE-2011-2523", "CVE-2011-2523");
  await page.waitForURL(/CVE-2011-2523|\/findings\/\d+/);
  await search("Settings", "Settings");
  await page.waitForURL(/\/settings/);
  await page.locator("h1").first().waitFor();
  await page.locator("body").click({ position: { x: 700, y: 840 } });
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.waitForURL(/\/catalogue/);
  await them.check(page);
});
