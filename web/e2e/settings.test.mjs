// Settings: users, tokens, scope; and that nobody sees a button for what they may not do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, launch, newData, people, serve, settled, shot, until, visitor } from "./harness.mjs";
import { inert, placesOf } from "./looks.mjs";

let server, browser, them, page, main;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
  them = await visitor(browser, server, { as: people.admin });
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

test("a user is added, gets a password that is shown once, signs in with it, and is removed", { timeout: 60_000 }, async () => {
  await open("/settings/users");
  await page.getByRole("button", { name: "Add user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("olga");
  await dialog.getByLabel("Sees all sites", { exact: false }).check();
  await accessible(page, "the form of a user");
  await dialog.getByRole("button", { name: "Add user" }).click();
  const secret = page.getByRole("dialog").locator("pre");
  await secret.waitFor();
  const password = (await secret.innerText()).trim();
  assert.ok(password.length >= 12, password);
  await accessible(page, "a password that is shown once");
  await shot(page, "settings-password-1280-light");
  const other = await visitor(browser, server);
  const answer = await other.context.request.post(server.url + "/api/v1/auth/login", { data: { name: "olga", password } });
  assert.equal(answer.status(), 200);
  await other.context.close();
  await open("/settings/users");
  await main.getByText("olga").first().waitFor();
  assert.ok(!(await main.innerText()).includes(password), "the password is still shown");
  await page.getByRole("button", { name: "Change olga" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await dialog.getByRole("textbox").fill("olga");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await until(async () => (await main.getByText("olga", { exact: true }).count()) === 0, "she is gone");
  await them.check(page);
});

test("a token is made, shown once, works, and is revoked", { timeout: 60_000 }, async () => {
  await open("/settings/tokens");
  await page.getByRole("button", { name: "Make a token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("What it is for").fill("pipeline <img src=x onerror=window.__ran=1>\u202e");
  await until(() => dialog.getByRole("button", { name: "Make the token" }).isEnabled(), "the token can be made");
  await page.waitForTimeout(200); // its colour follows
  await accessible(page, "the form of a token");
  await dialog.getByRole("button", { name: "Make the token" }).click();
  const secret = page.getByRole("dialog").locator("pre").first();
  await secret.waitFor();
  const token = (await secret.innerText()).trim();
  const ask = () => fetch(server.url + "/api/v1/findings?limit=1", { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await ask()).status, 200);
  await open("/settings/tokens");
  assert.ok(!(await main.innerText()).includes(token), "the token is still shown");
  await inert(page, "tokens with a hostile name");
  await page.getByRole("button", { name: /Revoke the token pipeline/ }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await until(async () => (await ask()).status === 401, "it is worth nothing");
  await them.check(page);
});

test("the scope: a rule is added, asked about, and removed", { timeout: 60_000 }, async () => {
  await open("/settings/scope");
  await page.getByRole("button", { name: "Add a rule" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Network, address or name").fill("198.51.100.0/24");
  await dialog.getByLabel("Why").fill("ours, ticket <script>window.__ran=1</script>");
  await accessible(page, "the form of a rule");
  await dialog.getByRole("button", { name: "Allow", exact: true }).last().click();
  await main.getByText("198.51.100.0/24").first().waitFor();
  await page.getByLabel("Targets").fill("198.51.100.7");
  await page.getByRole("button", { name: "Check" }).click();
  await main.getByText(/may be scanned|allowed/i).first().waitFor();
  await page.getByRole("button", { name: "Remove the rule for 198.51.100.0/24" }).click();
  const sure = page.getByRole("dialog").getByRole("button", { name: /Remove/ });
  if (await sure.isVisible().catch(() => false)) await sure.click();
  await until(async () => (await page.getByRole("button", { name: "Remove the rule for 198.51.100.0/24" }).count()) === 0, "the rule is gone");
  await them.check(page);
});

// Whoever may only look presses every button that there is: none of them may be answered with "you may not".
test("a viewer sees no button for what a viewer may not do", { timeout: 150_000 }, async () => {
  const vera = await visitor(browser, server, { as: people.viewer });
  const looking = await vera.page();
  const places = await placesOf(vera.context, server);
  delete places.lost;
  for (const section of ["tokens", "scope", "sites", "workers", "rules", "sla", "feeds", "jobs", "system", "users", "audit"]) places[`settings-${section}`] = `/settings/${section}`;
  const pressed = [];
  for (const [name, path] of Object.entries(places)) {
    await looking.goto(server.url + path);
    await settled(looking);
    const buttons = looking.locator("main button:visible:enabled");
    const names = await buttons.evaluateAll((all) => all.map((b) => (b.getAttribute("aria-label") ?? b.textContent).trim()));
    for (const [i, label] of names.slice(0, 30).entries()) {
      if (/sign out|session|show the|theme/i.test(label)) continue;
      await buttons.nth(i).evaluate((b) => b.click(), null, { timeout: 2_000 }).catch(() => {});
      await looking.waitForTimeout(40);
      pressed.push(`${name}: ${label}`);
      if (await looking.getByRole("dialog").count()) await looking.keyboard.press("Escape");
      if (new URL(looking.url()).pathname !== path) {
        await looking.goto(server.url + path);
        await settled(looking);
      }
      assert.deepEqual(vera.seen.refused, [], `after ${name}: ${label}`);
    }
    await settled(looking);
    assert.deepEqual(vera.seen.refused, [], name);
  }
  assert.ok(pressed.length > 40, `only ${pressed.length} buttons`);
  const words = pressed.filter((p) => /new scan|start a scan|import rep|triage|add user|add a rule|delete|remove$|cancel$|repeat|merge/i.test(p));
  assert.deepEqual(words, [], "buttons of those who may do more");
  await vera.check(looking);
  await vera.context.close();
});
