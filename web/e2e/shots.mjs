// Takes the pictures of README from the demo estate: node e2e/shots.mjs. They go to docs/images and replace what is there.
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { launch, newData, people, serve, settled, visitor } from "./harness.mjs";
import { prepare } from "./prepare.mjs";

process.env.TEST_PREPARED = await prepare();
const out = fileURLToPath(new URL("../../docs/images/", import.meta.url));
mkdirSync(out, { recursive: true });
const server = await serve({ data: newData("demo") });
const browser = await launch();
try {
  const them = await visitor(browser, server, { as: people.admin, width: 1360, height: 850 });
  const page = await them.page();
  const take = async (name, path, ready) => {
    await page.goto(server.url + path);
    await settled(page);
    await ready?.();
    await settled(page);
    await page.screenshot({ path: out + name, animations: "disabled" });
    console.log(name, `${Math.round(statSync(out + name).size / 1000)} kB`);
  };
  await take("today.png", "/");
  await take("findings.png", "/findings", async () => {
    await page.locator('[id^="finding-row-"] a').first().click();
    await page.locator(".fi-panel h2").first().waitFor();
  });
  await page.emulateMedia({ colorScheme: "dark" });
  await take("cve.png", "/catalogue/CVE-2018-6789");
  await them.check();
} finally {
  await browser.close();
  await server.stop();
}
process.exit();
