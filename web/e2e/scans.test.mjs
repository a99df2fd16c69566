// A scan from its two clicks to what came of it, against servers that greet on loopback; and reports that are dropped.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { after, before, test } from "node:test";

import { accessible, fixture, launch, newData, people, serve, settled, shot, until, visitor } from "./harness.mjs";
import { inert } from "./looks.mjs";
import { named } from "./prepare.mjs";
import { greet } from "./servers.mjs";

let server, browser, them, page, greeting;
before(async () => {
  greeting = await greet();
  server = await serve({ data: newData("people") });
  browser = await launch();
  them = await visitor(browser, server, { as: people.analyst });
  page = await them.page();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await greeting?.stop();
});

const idOf = (url) => Number(/\/scans\/(\d+)/.exec(url)[1]);

async function startScan(targets, ports) {
  await page.getByLabel("Targets").fill(targets);
  if (ports) {
    await page.getByRole("button", { name: /^Ports, exclusions/ }).click();
    await page.getByLabel(/^Ports/).first().fill(ports);
  }
  const start = page.getByRole("button", { name: "Start the scan" });
  await until(() => start.isEnabled(), "the scan can be started");
  await start.click();
  await page.waitForURL(/\/scans\/\d+/);
  return idOf(page.url());
}

const ended = (id) => until(async () => ["completed", "failed"].includes((await (await them.context.request.get(`${server.url}/api/v1/scans/${id}`)).json()).status), "the scan ends", 45_000);

let firstScan;

test("a scan is started in two clicks, watched to its end, and says what it found", { timeout: 90_000 }, async () => {
  await page.goto(server.url + "/scans");
  await settled(page);
  await page.getByRole("button", { name: "New scan" }).first().click();
  await page.getByLabel("Targets").waitFor();
  await accessible(page, "the form of a new scan");
  await shot(page, "scan-form-1280-light");
  firstScan = await startScan("127.0.0.1", Object.values(greeting.ports).join(","));
  await page.getByRole("heading", { level: 1 }).waitFor();
  await shot(page, "scan-running-1280-light");
  await page.getByRole("button", { name: "Repeat" }).waitFor({ timeout: 45_000 });
  await settled(page);
  const main = page.locator("main");
  await main.getByText(/1 host/).first().waitFor();
  assert.match(await main.innerText(), /4 services/);
  await accessible(page, "a scan that is over");
  await inert(page, "a scan of a hostile server");
  await shot(page, "scan-done-1280-light");
  await page.reload();
  await settled(page);
  assert.match(await main.innerText(), /4 services/, "what it found survives a reload");
  await them.check(page);
});

test("a target outside the scope is refused before anything begins", { timeout: 60_000 }, async () => {
  await page.goto(server.url + "/scans?start=true");
  await page.getByLabel("Targets").fill("198.51.100.7");
  await page.getByText(/scope|not allowed|refused|may not/i).first().waitFor();
  await until(() => page.getByRole("button", { name: "Start the scan" }).isDisabled(), "it cannot be started");
  await them.check(page);
});

test("a scan is repeated, and the two are compared", { timeout: 90_000 }, async () => {
  await page.goto(`${server.url}/scans/${firstScan}`);
  await page.getByRole("button", { name: "Repeat" }).click();
  await page.waitForURL((url) => /\/scans\/\d+/.test(url.pathname) && idOf(url.href) !== firstScan);
  const second = idOf(page.url());
  await ended(second);
  await page.getByRole("link", { name: "Compare" }).click();
  await page.waitForURL(/\/compare/);
  await settled(page);
  const main = page.locator("main");
  await main.getByText(/unchanged/i).first().waitFor();
  assert.match(await main.innerText(), /new/i);
  assert.match(await main.innerText(), /fixed/i);
  await accessible(page, "two scans compared");
  await shot(page, "compare-two-1280-light");
  await them.check(page);
});

test("a scan is seen as it goes, and cancelled", { timeout: 90_000 }, async () => {
  await page.goto(server.url + "/scans?start=true");
  const id = await startScan("127.7.0.0/18", "1-2000");
  await page.getByRole("progressbar").first().waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  const sure = page.getByRole("dialog");
  await accessible(page, "is it to be cancelled");
  await sure.getByRole("button", { name: "Cancel the scan" }).click();
  await page.getByText(/cancelled/i).first().waitFor();
  await ended(id);
  await page.goto(server.url + "/scans");
  await page.getByText("Cancelled").first().waitFor();
  await them.check(page);
});

const types = { xml: "text/xml", json: "application/json" };

test("reports are dropped, and the ledger adds up", { timeout: 90_000 }, async () => {
  await page.goto(server.url + "/import");
  await settled(page);
  const paths = ["nmap.xml", "weekly.nessus", "openvas.xml", "nikto.json", "nuclei.jsonl", "sbom.cdx.json"].map(fixture);
  const files = [...paths, named("hostile.nessus")].map((path) => ({ name: basename(path), type: types[path.split(".").pop()] ?? "", text: readFileSync(path, "utf8") }));
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const { name, type, text } of files) transfer.items.add(new File([text], name, { type }));
    return transfer;
  }, files);
  const zone = page.locator(".drop");
  await zone.dispatchEvent("dragenter", { dataTransfer: transfer });
  await zone.dispatchEvent("drop", { dataTransfer: transfer });
  const queue = page.locator(".queue > li");
  await until(async () => (await queue.count()) === files.length && (await queue.locator(".queue-ledger").count()) === files.length, "all are read", 45_000);
  for (const [name, says] of [["nmap.xml", "78 = 78 new"], ["openvas.xml", "1 = 0 new + 1 merged"], ["sbom.cdx.json", "2 = "]])
    assert.match((await queue.filter({ hasText: name }).innerText()).replace(/\s+/g, " "), new RegExp(says.replaceAll("+", "\\+")), name);
  await accessible(page, "files that were imported");
  await inert(page, "files that were imported");
  await shot(page, "import-queue-1280-light");
  await queue.filter({ hasText: "nmap.xml" }).getByRole("link").first().click();
  await page.waitForURL(/\/import\/\d+/);
  await settled(page);
  await page.getByText("Every record is accounted for").waitFor();
  await page.getByText("78 = 78").first().waitFor();
  await page.goBack();
  await page.waitForURL(/\/import$/);
  await them.check(page);
});

test("a file that is no report is refused, with the reason", { timeout: 60_000 }, async () => {
  await page.goto(server.url + "/import");
  await settled(page);
  await page.getByLabel("Files to import").setInputFiles({ name: "holiday.txt", mimeType: "text/plain", buffer: Buffer.from("no report at all\n") });
  await page.getByText("not imported", { exact: true }).waitFor();
  await accessible(page, "a refused file");
  await shot(page, "import-refused-1280-light");
  await them.check(page);
});
