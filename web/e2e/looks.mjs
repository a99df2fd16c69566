// Every page in one theme: axe finds nothing, nothing scrolls sideways at 360 px, what others wrote does nothing, and a
// picture at three sizes is kept.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, Faults, fits, kept, launch, newData, people, serve, settled, shot, visitor } from "./harness.mjs";

const sizes = [{ width: 1280, height: 860 }, { width: 2560, height: 1440 }, { width: 360, height: 780 }];

/** placesOf lists all pages, those of one thing with what is there. */
export async function placesOf(context, server) {
  const ask = async (path) => {
    const answer = await context.request.get(server.url + "/api/v1" + path);
    assert.equal(answer.status(), 200, `${path}: ${await answer.text()}`);
    return answer.json();
  };
  const findings = (await ask("/findings?limit=200&search=__ran")).findings;
  const known = (await ask("/findings?limit=200")).findings;
  const hosts = (await ask("/assets?limit=200")).hosts;
  const scans = (await ask("/scans?limit=50")).scans;
  const imports = (await ask("/imports?limit=50")).imports;
  const hostile = (list, field) => list.find((x) => JSON.stringify(x[field] ?? x).includes("__ran")) ?? list[0];
  const own = scans.find((s) => !JSON.stringify(s).includes("import")) ?? scans[0];
  return {
    today: "/", findings: "/findings", finding: `/findings/${hostile(findings, "title").id}`, "finding-cve": `/findings/${known.find((f) => f.cve).id}`,
    assets: "/assets", host: `/assets/${hostile(hosts).id}`, scans: "/scans", scan: `/scans/${own.id ?? own.scan_id}`, compare: `/scans/${own.id ?? own.scan_id}/compare`,
    paths: "/paths?from=site:default", import: "/import", ledger: `/import/${hostile(imports).id}`, catalogue: "/catalogue", cve: "/catalogue/CVE-2021-41773",
    threats: "/threats", technique: "/threats/T1190", ask: "/ask", settings: "/settings", lost: "/no/such/page",
  };
}

/** inert fails when a character that cannot be seen, or that turns the text around it, stands in the page as it came. */
export async function inert(page, where) {
  const found = await page.evaluate(() => {
    const bad = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/;
    const out = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let n = walk.currentNode; n; n = walk.nextNode()) {
      if (n.nodeType === 3 && bad.test(n.data)) out.push(`text ${JSON.stringify(n.data.slice(0, 80))}`);
      if (n.nodeType === 1) for (const a of n.attributes) if (a.name !== "value" && bad.test(a.value)) out.push(`${n.tagName} ${a.name}=${JSON.stringify(a.value.slice(0, 80))}`);
    }
    if (bad.test(document.title)) out.push(`title ${JSON.stringify(document.title)}`);
    return out;
  });
  assert.deepEqual(found, [], `${where} shows characters that cannot be seen as they came`);
}

/** looks makes the tests of one theme. */
export function looks(scheme) {
  let server, browser, them, places;
  before(async () => {
    server = await serve({ data: newData("estate") });
    browser = await launch();
    them = await visitor(browser, server, { as: people.admin, scheme });
    places = await placesOf(them.context, server);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  const names = ["today", "findings", "finding", "finding-cve", "assets", "host", "scans", "scan", "compare", "paths", "import", "ledger", "catalogue", "cve", "threats", "technique", "ask", "settings", "lost"];
  for (const name of names) {
    test(`${name} in ${scheme} is for everybody, at every size`, { timeout: 60_000 }, async () => {
      const page = await them.page();
      const faults = new Faults();
      try {
        await page.setViewportSize(sizes[0]);
        await page.goto(server.url + places[name]);
        await look(page, name, faults);
        await page.setViewportSize(sizes[0]);
        await tabs(page, name, faults);
      } finally {
        await page.close();
      }
      faults.none();
    });
  }

  async function look(page, name, faults, at = sizes) {
    await settled(page);
    for (const size of at) {
      await page.setViewportSize(size);
      await settled(page);
      await shot(page, `${name}-${size.width}-${scheme}`);
      await faults.of(fits(page, `${name} at ${size.width} px`));
      if (size.width !== 2560) await faults.of(accessible(page, `${name} at ${size.width} px`));
    }
    await faults.of(inert(page, name));
    await faults.of(them.check(page));
  }

  // What stands behind a page's tabs and its own navigation is a page too.
  async function tabs(page, name, faults) {
    const list = page.locator("main").getByRole("tab");
    const sections = page.locator("main nav").getByRole("link");
    const parts = (await list.count()) > 1 ? list : (await sections.count()) > 1 ? sections : null;
    for (let i = 1; parts && i < Math.min(await parts.count(), 14); i++) {
      const part = parts.nth(i);
      const called = kept((await part.innerText()).trim());
      await part.click();
      await look(page, `${name}-${called}`, faults, [sizes[2], sizes[0]]);
    }
  }

  test(`signing in, in ${scheme}`, { timeout: 60_000 }, async () => {
    const nobody = await visitor(browser, server, { scheme });
    const page = await nobody.page();
    await page.goto(server.url + "/signin");
    await page.getByRole("textbox", { name: /name/i }).first().waitFor();
    for (const size of sizes) {
      await page.setViewportSize(size);
      await shot(page, `signin-${size.width}-${scheme}`);
      await fits(page, `signin at ${size.width} px`);
      await accessible(page, `signin at ${size.width} px in ${scheme}`);
    }
    await nobody.check(page);
    await nobody.context.close();
  });

  test(`the palette and the keys in ${scheme}`, { timeout: 60_000 }, async () => {
    const page = await them.page();
    await page.goto(server.url + "/");
    await settled(page);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search" }).fill("10.66.6");
    await page.getByRole("option").filter({ hasText: "10.66.6" }).first().waitFor();
    await accessible(page, `palette in ${scheme}`);
    await inert(page, "palette");
    await shot(page, `palette-1280-${scheme}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await accessible(page, `keys in ${scheme}`);
    await shot(page, `keys-1280-${scheme}`);
    await them.check(page);
    await page.close();
  });
}
