// The door: the printed password, one of one's own, wrong ones, sessions that end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, launch, newData, people, serve, settled, shot, visitor } from "./harness.mjs";

let server, browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const form = (page) => ({ name: page.getByLabel("Name", { exact: true }), password: page.getByLabel("Password", { exact: true }), go: page.getByRole("button", { name: "Sign in" }) });

test("the first start: the printed password is good for choosing one's own", { timeout: 60_000 }, async () => {
  server = await serve();
  assert.ok(server.password, server.log);
  const them = await visitor(browser, server);
  const page = await them.page();
  await page.goto(server.url + "/findings?severity=critical");
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  const { name, password, go } = form(page);
  await name.waitFor();
  assert.match(await page.locator("main").innerText(), /printed a password/i, "the page of the first start says where the password is");
  await accessible(page, "first start");
  await shot(page, "first-start-1280-light");
  await name.fill("admin");
  await password.fill("not the password");
  await go.click();
  await page.getByRole("alert").getByText("wrong").waitFor();
  await password.fill(server.password);
  await go.click();
  await page.getByRole("heading", { level: 1, name: "Choose your password" }).waitFor();
  await accessible(page, "choose a password");
  await shot(page, "choose-password-1280-light");
  const [next, again] = [page.getByLabel("New password", { exact: true }), page.getByLabel("New password, once more", { exact: true })];
  await next.fill("a password of my own 4711");
  await again.fill("a password of my own 4712");
  await page.getByRole("button", { name: "Save and go on" }).click();
  await page.getByText("The two are not the same").waitFor();
  await again.fill("a password of my own 4711");
  await page.getByRole("button", { name: "Save and go on" }).click();
  await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
  assert.match(page.url(), /\/findings\?.*severity=/, "it leads on to what was asked for");
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
  await them.check(page);
  await them.context.close();

  // The printed one is worth nothing any more.
  const other = await visitor(browser, server);
  const answer = await other.context.request.post(server.url + "/api/v1/auth/login", { data: { name: "admin", password: server.password } });
  assert.equal(answer.status(), 401);
  await other.context.close();
});

test("an empty server says on Today what to do first", { timeout: 60_000 }, async () => {
  const them = await visitor(browser, server, { as: { name: "admin", password: "a password of my own 4711" } });
  const page = await them.page();
  await page.goto(server.url + "/");
  await settled(page);
  const main = page.locator("main");
  assert.match(await main.innerText(), /scan|import/i);
  assert.ok((await main.getByRole("link").count()) + (await main.getByRole("button").count()) > 0, "nothing can be done from here");
  await accessible(page, "the first Today");
  await shot(page, "today-first-1280-light");
  for (const path of ["/findings", "/assets", "/scans", "/import"]) {
    await page.goto(server.url + path);
    await settled(page);
    await accessible(page, `empty ${path}`);
    await shot(page, `empty-${path.slice(1)}-1280-light`);
  }
  await them.check(page);
  await them.context.close();
});

test("signing out, and sessions that end, lead to the door and back", { timeout: 60_000 }, async () => {
  await server.stop();
  server = await serve({ data: newData("people") });
  const them = await visitor(browser, server, { as: people.analyst });
  const page = await them.page();
  await page.goto(server.url + "/scans");
  await settled(page);
  await page.locator("aside").getByRole("button", { name: /anna/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  const { name, password, go } = form(page);
  await name.fill(people.analyst.name);
  await password.fill(people.analyst.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();

  // Somebody ends the session elsewhere: the next question leads to the door, and from there back.
  await page.goto(server.url + "/catalogue?query=vsftpd");
  await settled(page);
  await them.context.clearCookies();
  await page.locator("aside").getByRole("link", { name: "Findings" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await page.waitForTimeout(500); // until all that was asked at the same time is refused
  assert.equal(new URL(page.url()).searchParams.get("to"), "/findings");
  await name.fill(people.analyst.name);
  await password.fill(people.analyst.password);
  await go.click();
  await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
  await them.check(page);
  await them.context.close();
});

test("an address that leads elsewhere after signing in leads to Today", { timeout: 60_000 }, async () => {
  const them = await visitor(browser, server);
  for (const to of ["https://collect.example.net/", "//collect.example.net/", "javascript:window.__ran=1", "/\\collect.example.net"]) {
    const page = await them.page();
    await page.goto(`${server.url}/signin?to=${encodeURIComponent(to)}`);
    const { name, password, go } = form(page);
    await name.fill(people.viewer.name);
    await password.fill(people.viewer.password);
    await go.click();
    await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();
    await them.check(page);
    await page.close();
    await them.context.clearCookies();
  }
  await them.context.close();
});
