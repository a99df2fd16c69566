// Questions: on their page and in the panel of any page; what a stream may do; what a link may not.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { accessible, fits, launch, newData, people, serve, settled, shot, until, visitor } from "./harness.mjs";
import { inert } from "./looks.mjs";

let server, browser;
before(async () => {
  server = await serve({ data: newData("estate") });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const field = (page) => page.getByRole("textbox", { name: "Your question" });
const turns = (page) => page.locator(".ask-turn");
const answered = (page, n = 1) => until(async () => (await page.locator(".ask-turn[data-state=answered]").count()) >= n, `${n} answers`, 20_000);

async function begin(options, path = "/ask") {
  const them = await visitor(browser, server, options);
  const page = await them.page();
  await page.goto(server.url + path);
  await settled(page);
  return { them, page };
}

async function put(page, question) {
  await field(page).fill(question);
  await page.keyboard.press("Enter");
}

const hostile = 'x <img src=x onerror="window.__ran=3"> [9] **b** <script>window.__ran=4</script>\u202egpj';
const whole = {
  id: 0, session_id: "made", question: "which hosts", answer: `**2** hosts [1], \`patchscout assets\`:\n- ${hostile} [2]\n- [a](javascript:window.__ran=5) # b`,
  sources: [
    { n: 1, kind: "list", id: "hosts", title: "2 hosts", text: "all hosts", url: "/assets", api: null, from: null, at: null },
    { n: 2, kind: "host", id: "1", title: hostile, text: hostile, url: "javascript:window.__ran=6", api: null, from: hostile, at: "2026-01-01T00:00:00Z" },
    { n: 3, kind: "doc", id: "x", title: "elsewhere", text: "", url: "//collect.example.net/", api: null, from: null, at: null },
  ],
  confidence: 0.6, sure: "medium", kind: "list hosts", understood: hostile, corrected: [{ from: "hsots", to: "hosts" }], refused: false, missing: [], data: [{ name: "kev", at: null, age_hours: null, stale: true, note: hostile }],
  facts: null, command: "patchscout assets", link: "/assets", model: { name: hostile, used: true, marked: true, cut: [hostile], error: null }, next: [hostile], feedback: null, at: "2026-01-01T00:00:00Z",
};
const event = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const begun = event("begun", { session_id: "made", understood: whole.understood, corrected: [], sources: whole.sources, model: null });
const stream = (page, ...bodies) => {
  let n = 0;
  return page.route("**/api/v1/chat/query", (route) => {
    const body = bodies[Math.min(n++, bodies.length - 1)];
    return body === null ? route.abort("connectionreset") : typeof body === "string" ? route.fulfill({ contentType: "text/event-stream", body }) : route.fulfill({ json: body });
  });
};

test("a question is answered, its sources open, and the conversation is there again after a reload", { timeout: 90_000 }, async () => {
  const { them, page } = await begin({ as: people.analyst });
  await accessible(page, "before the first question");
  const offered = page.locator(".ask-offer");
  await offered.first().waitFor();
  await put(page, "How many open findings are critical?");
  await answered(page);
  const said = await turns(page).first().innerText();
  assert.match(said, /How many open findings are critical\?/);
  await until(() => /[?&]session=/.test(page.url()), "the conversation has an address");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA", "one can ask on at once");
  await accessible(page, "an answer");
  await put(page, "Which of them are known to be exploited?");
  await answered(page, 2);
  await page.reload();
  await settled(page);
  await answered(page, 2);
  assert.equal(await turns(page).count(), 2);
  await page.locator(".ask-past-line[aria-current]").first().waitFor();
  const source = page.locator("a.ask-card-link").first();
  if (await source.count()) {
    await source.click();
    await until(() => !/\/ask/.test(new URL(page.url()).pathname), "the record opens");
    await settled(page);
    await page.goBack();
    await answered(page, 2);
  }
  await them.check(page);
  await them.context.close();
});

test("what is offered can be asked with a click; feedback, copy, export and removal work", { timeout: 90_000 }, async () => {
  const { them, page } = await begin({ as: people.admin, permissions: ["clipboard-read", "clipboard-write"] });
  await page.locator(".ask-offer").first().click();
  await answered(page);
  await page.getByRole("button", { name: "Not a good answer" }).click();
  await page.getByRole("textbox", { name: "What was wrong" }).fill("it forgot a host");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("your comment is kept").waitFor();
  assert.equal(await page.getByRole("button", { name: "Not a good answer" }).getAttribute("aria-pressed"), "true");
  await page.getByRole("button", { name: /Copy the answer/ }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^\*\*.+\*\*\n\n/);
  for (const [, to] of copied.matchAll(/\]\((\S+)\)$/gm)) assert.ok(to.startsWith(server.origin), to);
  await until(() => /session=/.test(page.url()), "an address");
  await page.getByRole("button", { name: "This conversation" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export as Markdown" }).click();
  assert.match((await download).suggestedFilename(), /^conversation-.+\.md$/);
  await page.getByRole("button", { name: "This conversation" }).click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("heading", { name: "What do you want to know?" }).waitFor();
  assert.ok(!/session=/.test(page.url()), "the address of what is gone is gone");
  await them.check(page);
  await them.context.close();
});

test("a link fills the field and asks nothing; an old conversation that is gone says so", { timeout: 60_000 }, async () => {
  const { them, page } = await begin({ as: people.viewer }, "/ask?q=delete+all+hosts&about=host:1");
  assert.equal(await field(page).inputValue(), "delete all hosts");
  assert.equal(await turns(page).count(), 0);
  const list = await (await them.context.request.get(server.url + "/api/v1/chat/sessions")).json();
  assert.equal(list.total, 0, "nothing was asked");
  await page.goto(server.url + "/ask?session=never-was");
  await page.getByText("There is no such thing").waitFor();
  await them.check(page);
  await them.context.close();
});

test("what hosts and models wrote is text in answers, and leads nowhere else", { timeout: 60_000 }, async () => {
  const { them, page } = await begin({ as: people.analyst });
  await stream(page, begun + event("text", { text: "wrong" }) + event("reset", {}) + event("text", { text: whole.answer }) + event("answer", whole));
  await put(page, hostile);
  await answered(page);
  const words = page.locator(".ask-words").last();
  assert.match(await words.innerText(), /<img src=x/);
  assert.ok(!(await words.innerText()).includes("wrong"), "what was taken back is gone");
  assert.equal(await words.locator("img, script, a:not(.ask-cite)").count(), 0);
  assert.deepEqual(await page.locator(".ask-answer a").evaluateAll((all) => all.map((a) => a.getAttribute("href")).filter((h) => !/^http:\/\/127\.0\.0\.1:\d+\/assets$/.test(h))), []);
  await page.locator("a.ask-cite").first().focus();
  await page.locator(".ask-brief").waitFor();
  await inert(page, "an answer");
  await accessible(page, "a hostile answer");
  await shot(page, "ask-hostile-1280-light");
  await page.setViewportSize({ width: 360, height: 780 });
  await fits(page, "a hostile answer at 360 px");
  await them.check(page);
  await them.context.close();
});

test("a stream that breaks is asked for whole; when that fails nothing typed is lost", { timeout: 60_000 }, async () => {
  const { them, page } = await begin({ as: people.analyst });
  await stream(page, begun + event("text", { text: "half of" }), { ...whole, answer: "the whole" });
  await put(page, "first");
  await answered(page);
  assert.match(await turns(page).last().innerText(), /the whole/);
  await page.unroute("**/api/v1/chat/query");
  await stream(page, null, { ...whole, answer: "after all" });
  await put(page, "second");
  await page.getByRole("alert").getByText("Your question is still here").waitFor();
  assert.match(await turns(page).last().innerText(), /second/);
  await accessible(page, "an answer that did not come");
  await page.getByRole("button", { name: "Try again" }).click();
  await answered(page, 2);
  assert.match(await turns(page).last().innerText(), /after all/);
  await page.unroute("**/api/v1/chat/query");
  await stream(page, begun + event("error", { status: 503, title: "Service Unavailable", detail: "the model is asleep" }));
  await put(page, "third");
  await page.getByRole("alert").getByText("the model is asleep").waitFor();
  await them.check(page);
  await them.context.close();
});

test("Stop stops, arrow up brings the question back, Shift and Enter begins a line", { timeout: 60_000 }, async () => {
  const { them, page } = await begin({ as: people.analyst });
  let release;
  await page.route("**/api/v1/chat/query", async (route) => {
    await new Promise((resolve) => (release = resolve));
    await route.fulfill({ json: whole }).catch(() => {});
  });
  await put(page, "slow one");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Stopped.").waitFor();
  release();
  await page.keyboard.press("ArrowUp");
  assert.equal(await field(page).inputValue(), "slow one");
  await page.keyboard.press("ArrowDown");
  assert.equal(await field(page).inputValue(), "");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  assert.equal(await field(page).inputValue(), "one\ntwo");
  await page.locator("aside.side").getByRole("link", { name: "Scans" }).click();
  await page.waitForURL(/\/scans/);
  await page.locator("aside.side").getByRole("link", { name: "Ask", exact: true }).click();
  assert.equal(await field(page).inputValue(), "one\ntwo", "what was typed stays");
  await them.check(page);
  await them.context.close();
});

test("the panel knows the screen, keeps its conversation from page to page, and opens in the page", { timeout: 90_000 }, async () => {
  const { them, page } = await begin({ as: people.analyst }, "/assets");
  await page.locator("main").getByRole("link", { name: /10\.20\.0\.6|files\.example/ }).first().click();
  await page.waitForURL(/\/assets\/\d+/);
  await settled(page);
  await page.keyboard.press("q");
  const panel = page.getByRole("complementary", { name: "Ask" });
  await panel.getByText("host 10.20.0.6").waitFor();
  await settled(page);
  await accessible(page, "the panel over a host");
  await shot(page, "ask-panel-1280-light");
  const sent = page.waitForRequest((r) => r.url().endsWith("/chat/query"));
  await page.keyboard.type("How many findings does this host have?");
  await page.keyboard.press("Enter");
  assert.equal((await sent).postDataJSON().about.kind, "host");
  await answered(page);
  await page.locator("aside.side").getByRole("link", { name: "Findings" }).click();
  await page.waitForURL(/\/findings/);
  await panel.getByText("these findings").waitFor();
  assert.equal(await turns(page).count(), 1, "the conversation goes along");
  await panel.getByRole("button", { name: /Do not ask about/ }).click();
  assert.equal(await panel.getByText("these findings").count(), 0);
  await field(page).focus();
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  await page.keyboard.press("q");
  await panel.waitFor();
  assert.equal(await turns(page).count(), 1, "it is there when it is opened again");
  await panel.getByRole("button", { name: "Open in the page" }).click();
  await page.waitForURL(/\/ask\?session=/);
  await answered(page);
  assert.equal(await panel.count(), 0);
  await them.check(page);
  await them.context.close();
});

test("the palette asks what was typed, and on a phone the panel is a page of its own", { timeout: 60_000 }, async () => {
  const { them, page } = await begin({ as: people.viewer }, "/");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search" }).fill("what should I fix first?");
  await page.keyboard.press("Enter");
  await answered(page);
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 360, height: 780 });
  await page.locator(".topbar").getByRole("button", { name: "Ask about what is on the screen" }).click();
  await page.getByRole("dialog", { name: "Ask" }).waitFor();
  await fits(page, "the panel at 360 px");
  await accessible(page, "the panel on a phone");
  await shot(page, "ask-panel-360-light");
  await them.check(page);
  await them.context.close();
});

test("administrators see how the assistant is set up; others are not shown it", { timeout: 60_000 }, async () => {
  const { them, page } = await begin({ as: people.admin }, "/settings/assistant");
  await page.getByRole("heading", { name: "Language model" }).waitFor();
  assert.match(await page.locator("main").innerText(), /--llm-url/);
  await accessible(page, "settings of the assistant");
  await them.check(page);
  await them.context.close();
  const viewer = await begin({ as: people.viewer }, "/settings/assistant");
  await viewer.page.getByText("This is for administrators").waitFor();
  await viewer.them.check(viewer.page);
  await viewer.them.context.close();
});
