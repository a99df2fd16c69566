// Attack paths: the list, one path drawn and told, fixes tried out, steps corrected; by mouse and by keys, for whom it is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, Faults, fits, launch, newData, people, serve, settled, shot, signIn, until, visitor } from "./harness.mjs";
import { inert } from "./looks.mjs";

const hostile = '<img src=x onerror="window.__ran=7">\u202egpj.exe\u0007';

// 10.20.0.6 is reached over 10.20.0.7 and 10.66.6.7 only; all three have weaknesses that give an attacker something.
const policy = `rules:
  - {from: 10.20.0.7, to: 10.20.0.6, action: allow, note: ${JSON.stringify(hostile)}}
  - {from: 10.66.6.7, to: 10.20.0.6, action: allow, note: ${JSON.stringify(hostile)}}
  - {from: any, to: 10.20.0.6, action: deny}
`;

let server, browser, them, page, main, jewel;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
  const admin = await visitor(browser, server);
  const { csrf_token } = await signIn(admin.context, server, people.admin);
  const headers = { "X-CSRF-Token": csrf_token };
  const ask = admin.context.request;
  const found = (await (await ask.get(`${server.url}/api/v1/assets?search=10.20.0.6`)).json()).hosts[0];
  jewel = found.id;
  const tagged = await ask.patch(`${server.url}/api/v1/assets/${jewel}`, { headers, data: { tags: ["jewel"], criticality: "critical" } });
  assert.ok(tagged.ok(), await tagged.text());
  const declared = await ask.put(`${server.url}/api/v1/attack-paths/policy`, { headers: { ...headers, "Content-Type": "text/yaml" }, data: policy });
  assert.ok(declared.ok(), await declared.text());
  await admin.context.close();
  them = await visitor(browser, server, { as: people.analyst });
  page = await them.page();
  main = page.locator("main");
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const rows = () => main.locator("[data-path]");
const inside = "/paths?from=host:10.66.6.8";
const open = async (path) => {
  await page.goto(server.url + path);
  await settled(page);
};
const param = (name) => new URL(page.url()).searchParams.get(name);

test("from nowhere to somewhere: no path is good news, and leads on to who is already inside", { timeout: 60_000 }, async () => {
  await open("/");
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.waitForURL(/\/paths$/);
  await main.getByRole("button", { name: /Where the attacker begins/ }).click();
  await page.getByRole("button", { name: "The internet", exact: true }).click();
  await main.getByText(/No path leads from the internet to the 2 jewels/).waitFor();
  await main.getByRole("button", { name: "Inside default" }).click();
  await rows().first().waitFor();
  assert.equal(param("from"), "site:default");
  assert.match(await main.locator(".pa-headline").innerText(), /^1 of 2 jewels can be reached from .*default\. The likeliest way takes \d+ steps, \d/);
  await page.reload();
  await rows().first().waitFor();
  assert.match(await rows().first().innerText(), /10\.20\.0\.6/);
  await page.goBack();
  await main.getByText(/No path leads/).waitFor();
  await them.check(page);
});

test("a path is opened by keys, drawn from left to right, and told step by step", { timeout: 60_000 }, async () => {
  await open(inside);
  await rows().first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const one = page.getByRole("region", { name: "Path", exact: true });
  await one.getByRole("group", { name: /The path drawn: .*(10\.20\.0\.7|10\.66\.6\.7), then 10\.20\.0\.6/ }).waitFor();
  const boxes = one.locator(".pa-box");
  const lefts = await boxes.evaluateAll((all) => all.map((b) => b.getBoundingClientRect().left));
  assert.deepEqual(lefts, [...lefts].sort((a, b) => a - b), "from left to right");
  const told = await one.getByRole("list", { name: /The path in/ }).innerText();
  for (const word of [/Needs/, /Gives/, /Likely/, /Known/, /CVE-2011-2523/, /Fix it here/]) assert.match(told, word);
  assert.match(await one.getByRole("link", { name: /^T1\d{3}/ }).first().getAttribute("href"), /\/threats\/T1/);
  assert.match(await one.getByRole("link", { name: "the evidence" }).first().getAttribute("href"), /\/findings\/\d+/);
  await one.getByRole("button", { name: /10\.20\.0\.6/ }).first().click();
  await until(() => param("step"), "the step stands in the address");
  await shot(page, "path-1280-light");
  await page.keyboard.press("Escape");
  await until(() => !param("path"), "the path is closed");
  await them.check(page);
});

test("fixes are ticked, and the paths that they end are struck out", { timeout: 60_000 }, async () => {
  await open(inside);
  await rows().first().waitFor();
  const tray = page.getByRole("region", { name: "Fix simulator" });
  await rows().first().getByRole("checkbox").check();
  await tray.getByText(/path.* gone/).waitFor();
  await until(async () => (await main.locator("[data-gone]").count()) > 0, "a path ends");
  assert.match(await main.locator("[data-gone]").first().innerText(), /ends/);
  assert.ok(param("fix"), "what is ticked stands in the address");
  await page.reload();
  await tray.getByText(/path.* gone/).waitFor();
  await tray.getByRole("button", { name: "Show as findings" }).click();
  const link = page.getByRole("menuitem").first();
  assert.match(await link.getAttribute("href"), /\/findings\/\d+/);
  await page.keyboard.press("Escape");
  await tray.getByRole("button", { name: "Clear" }).click();
  await tray.getByRole("button", { name: /^Take/ }).click();
  await tray.getByText(/no jewel is reached any more/).waitFor();
  assert.match(await tray.innerText(), /10\.20\.0\.6[\s\S]*not reached/);
  await shot(page, "path-fixes-1280-light");
  await them.check(page);
});

test("who knows better corrects a step, and takes it back", { timeout: 60_000 }, async () => {
  await open(inside);
  await rows().first().getByRole("button").first().click();
  await page.getByRole("button", { name: /Correct this/ }).last().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("radio", { name: "It never works" }).check();
  await dialog.getByLabel("Why").fill(hostile);
  await accessible(page, "the dialog of corrections");
  await dialog.getByRole("button", { name: "Keep it" }).click();
  await page.getByText("The step is corrected").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Taken back.").waitFor();
  await open(inside);
  await rows().first().waitFor();
  await them.check(page);
});

test("what does not fit in an address is left out", { timeout: 60_000 }, async () => {
  await open(`/paths?from=site:default,file:/x,%22%3E%3Cimg%20src=x%3E&path=%3Cscript%3E&fix=1,x,-3&assume=__proto__&view=purple&tab=nothing&step=x`);
  await main.locator(".pa-headline").waitFor();
  await them.check(page);
});

test("what others wrote does nothing on any part of the page", { timeout: 90_000 }, async () => {
  for (const path of [inside, `${inside}&view=jewels`, `${inside}&view=fixes`]) {
    await open(path);
    await inert(page, path);
    await them.check(page);
  }
  await open(inside);
  await rows().first().getByRole("button").first().click();
  await page.getByRole("region", { name: "Path", exact: true }).getByText("<img src=x onerror").first().waitFor();
  await inert(page, "an open path");
  await them.check(page);
});

test("who only looks may try fixes, but correct nothing", { timeout: 60_000 }, async () => {
  const viewer = await visitor(browser, server, { as: people.viewer });
  const own = await viewer.page();
  await own.goto(server.url + inside);
  await settled(own);
  const first = own.locator("[data-path]").first();
  await first.getByRole("checkbox").check();
  await own.getByText(/path.* gone/).waitFor();
  await first.getByRole("button").first().click();
  await own.getByRole("region", { name: "Path", exact: true }).getByText("Fix it here").first().waitFor();
  assert.equal(await own.getByRole("button", { name: /Correct/ }).count(), 0);
  assert.deepEqual(viewer.seen.refused, []);
  await viewer.check(own);
  await viewer.context.close();
});

for (const scheme of ["light", "dark"])
  test(`attack paths in ${scheme} are for everybody, at every size`, { timeout: 120_000 }, async () => {
    const visits = await visitor(browser, server, { as: people.analyst, scheme });
    const own = await visits.page();
    const faults = new Faults();
    const look = async (name) => {
      for (const size of [{ width: 1280, height: 860 }, { width: 360, height: 780 }]) {
        await own.setViewportSize(size);
        await settled(own);
        await shot(own, `${name}-${size.width}-${scheme}`);
        await faults.of(fits(own, `${name} at ${size.width} px`));
        await faults.of(accessible(own, `${name} at ${size.width} px in ${scheme}`));
      }
      await own.setViewportSize({ width: 1280, height: 860 });
    };
    for (const [name, path] of [["paths-none", "/paths?from=internet"], ["paths-list", inside], ["paths-jewels", `${inside}&view=jewels`], ["paths-fixes", `${inside}&view=fixes`]]) {
      await own.goto(server.url + path);
      await settled(own);
      await look(name);
    }
    await own.goto(server.url + inside);
    await own.locator("[data-path]").first().getByRole("checkbox").check();
    await own.locator("[data-path]").first().getByRole("button").first().click();
    await own.getByText(/path.* gone/).waitFor();
    await look("paths-one");
    await own.setViewportSize({ width: 1280, height: 860 });
    await own.getByRole("button", { name: /Where the attacker begins/ }).click();
    await own.getByRole("dialog").getByText("Inside default").waitFor();
    await faults.of(accessible(own, `where the attacker begins in ${scheme}`));
    await visits.check(own);
    await visits.context.close();
    faults.none();
  });
