// The set-up of attack paths: jewels, the network policy, corrections; and that nobody sees a button for what they may not do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { accessible, Faults, fits, launch, newData, people, serve, settled, shot, signIn, until, visitor } from "./harness.mjs";
import { inert } from "./looks.mjs";

const hostile = '<img src=x onerror="window.__ran=8">\u202egpj.exe\u0007';

let server, browser, them, page, main, headers, ask;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
  them = await visitor(browser, server);
  headers = { "X-CSRF-Token": (await signIn(them.context, server, people.admin)).csrf_token };
  ask = them.context.request;
  page = await them.page();
  main = page.locator("main");
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const setup = "/paths?tab=setup";
const open = async () => {
  await page.goto(server.url + setup);
  await settled(page);
};
const policy = async () => (await ask.get(`${server.url}/api/v1/attack-paths/policy`)).json();

test("a jewel is named by a search, weighed, taken off, and comes back", { timeout: 60_000 }, async () => {
  await open();
  await main.getByRole("button", { name: "Name a jewel" }).click();
  const dialog = page.getByRole("dialog", { name: "Name a jewel" });
  await dialog.getByRole("textbox").fill("10.20.0.6");
  await dialog.getByRole("button", { name: /10\.20\.0\.6/ }).first().click();
  const row = main.getByRole("table", { name: "Jewels" }).getByRole("row").filter({ hasText: "10.20.0.6" });
  await row.waitFor();
  await row.getByRole("combobox").selectOption("critical");
  await page.getByText("10.20.0.6: criticality critical").waitFor();
  await page.reload();
  await until(async () => (await row.getByRole("combobox").inputValue()) === "critical", "it is kept");
  await row.getByRole("button", { name: /Take off/ }).click();
  await until(async () => (await row.count()) === 0, "it is gone");
  await page.getByRole("button", { name: "Undo" }).last().click();
  await row.waitFor();
  await them.check(page);
});

test("a policy is declared, complained of line by line, and deleted", { timeout: 90_000 }, async () => {
  await ask.delete(`${server.url}/api/v1/attack-paths/policy`, { headers });
  await open();
  await main.getByText("Nothing is declared").waitFor();
  await main.getByRole("button", { name: "Declare …" }).click();
  const dialog = page.getByRole("dialog");
  const text = dialog.getByRole("textbox", { name: /The file/ });
  await text.fill(`rules:\n  - {from: any, to: "10.0.8.1/24", action: deny, note: ${JSON.stringify(hostile)}}\n`);
  await dialog.getByRole("button", { name: "Put it in force" }).click();
  await dialog.getByRole("button", { name: "Line 2" }).waitFor();
  assert.match(await dialog.getByRole("list", { name: "What is wrong with the file" }).innerText(), /belong to hosts[\s\S]*2\s+- \{from: any/);
  await accessible(page, "a policy that is wrong");
  assert.match(await dialog.getByRole("status").innerText(), /cannot be seen: RLO.* in line 2/);
  await shot(page, "paths-policy-wrong-1280-light");
  assert.equal((await policy()).rules.length, 0, "nothing is changed");
  await dialog.locator("input[type=file]").setInputFiles({ name: "edge.csv", mimeType: "text/csv", buffer: Buffer.from(`from,to,ports,action,note\ninternet,any,tcp/443,allow,"${hostile.slice(0, -1).replaceAll('"', '""')}"\nany,10.20.0.6,,deny,\n`) });
  await until(async () => (await text.inputValue()).startsWith("from,to"), "the file is shown");
  await dialog.getByRole("button", { name: "Put it in force" }).click();
  const rules = main.getByRole("table", { name: "Rules in force" });
  await rules.waitFor();
  assert.match(await rules.innerText(), /Allow[\s\S]*tcp\/443[\s\S]*Deny[\s\S]*every port/);
  assert.match(await main.innerText(), /edge\.csv, declared .* by admin/);
  await inert(page, "a policy in force");
  const [file] = await Promise.all([page.waitForEvent("download"), main.getByRole("button", { name: "Download" }).click()]);
  assert.equal(file.suggestedFilename(), "policy.yaml");
  const before = (await policy()).rules;
  const again = await ask.put(`${server.url}/api/v1/attack-paths/policy?filename=policy.yaml`, { headers: { ...headers, "Content-Type": "text/yaml" }, data: readFileSync(await file.path(), "utf8") });
  assert.ok(again.ok(), await again.text());
  assert.deepEqual((await policy()).rules, before, "what was downloaded says the same");
  await main.getByRole("button", { name: "Delete …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete it" }).click();
  await main.getByText("Nothing is declared").waitFor();
  await them.check(page);
});

/** corrected says something of a finding, and of an edge that is not there any more. */
async function corrected() {
  const paths = await (await ask.get(`${server.url}/api/v1/attack-paths?from=site:default`)).json();
  const edge = paths.paths.flatMap((p) => p.steps).find((s) => s.edge.startsWith("finding:")).edge;
  const kept = await ask.post(`${server.url}/api/v1/attack-paths/corrections`, { headers, data: { edge, says: "chance", chance: 0.25, note: hostile } });
  assert.ok(kept.ok(), await kept.text());
  return edge;
}

test("a correction is told in words, taken back, and comes back", { timeout: 60_000 }, async () => {
  const edge = await corrected();
  await open();
  const line = main.getByRole("listitem").filter({ hasText: edge });
  assert.match(await line.innerText(), /works with 25 %[\s\S]*<img src=x[\s\S]*admin, /);
  await inert(page, "corrections");
  await line.getByRole("button", { name: /Take back/ }).click();
  await until(async () => (await line.count()) === 0, "it is gone");
  await page.getByRole("button", { name: "Undo" }).last().click();
  await line.waitFor();
  const { corrections } = await (await ask.get(`${server.url}/api/v1/attack-paths/corrections`)).json();
  assert.deepEqual(corrections.map((c) => [c.says, c.chance, c.note]), [["chance", 0.25, hostile]]);
  await them.check(page);
});

test("who may not change something has no button for it", { timeout: 60_000 }, async () => {
  for (const [who, buttons] of [[people.viewer, []], [people.analyst, ["Name a jewel", "Take back", "Take off"]]]) {
    const visits = await visitor(browser, server, { as: who });
    const own = await visits.page();
    await own.goto(server.url + setup);
    await settled(own);
    await own.locator("main").getByText("Corrections").first().waitFor();
    const there = await own.locator("main").getByRole("button").allInnerTexts();
    assert.deepEqual([...new Set(there)].filter((b) => b !== "Download").sort(), buttons);
    assert.equal(await own.locator("main").getByRole("combobox").count() > 0, buttons.length > 0);
    assert.deepEqual(visits.seen.refused, []);
    await visits.check(own);
    await visits.context.close();
  }
});

for (const scheme of ["light", "dark"])
  test(`the set-up in ${scheme} is for everybody, at every size`, { timeout: 60_000 }, async () => {
    const put = await ask.put(`${server.url}/api/v1/attack-paths/policy?filename=p.yaml`, { headers: { ...headers, "Content-Type": "text/yaml" }, data: `rules:\n  - {from: any, to: 10.20.0.6, ports: [tcp/22], action: allow, note: ${JSON.stringify(hostile)}}\nclients: [10.20.0.0/24]\n` });
    assert.ok(put.ok(), await put.text());
    const visits = await visitor(browser, server, { as: people.admin, scheme });
    const own = await visits.page();
    const faults = new Faults();
    for (const size of [{ width: 1280, height: 860 }, { width: 360, height: 780 }]) {
      await own.setViewportSize(size);
      await own.goto(server.url + setup);
      await settled(own);
      await shot(own, `paths-setup-${size.width}-${scheme}`, { fullPage: true });
      await faults.of(fits(own, `the set-up at ${size.width} px`));
      await faults.of(accessible(own, `the set-up at ${size.width} px in ${scheme}`));
    }
    await faults.of(visits.check(own));
    await visits.context.close();
    faults.none();
  });
