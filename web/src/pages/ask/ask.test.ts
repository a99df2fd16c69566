import { describe, expect, test } from "vitest";

import { aboutOf, aboutWords } from "./about";
import { partOf } from "./ask";
import { Events, largest } from "./events";
import type { Answer, Source } from "./kinds";
import { blocksOf, spansOf, wordsOf, type Span } from "./markup";
import { repair } from "./search";
import { empty, isAsking, recall, reduce, type Deed } from "./talk";
import { homeOf, insideOf, isPage, markdownOf, nameOf, newlyMissing, readAs, staleWords, tableOf, waysOn } from "./words";

const any = () => true;
const source: Source = { n: 1, kind: "cve", id: "CVE-2021-44228", title: "Log4j", text: "", url: "/catalogue/CVE-2021-44228", api: null, from: "NVD", at: "2021-12-10T10:00:00Z" };
const answer: Answer = {
  id: 7, session_id: "s1", question: "how many", answer: "**12** open findings [1].", sources: [source], confidence: 0.9, sure: "high", kind: "count findings", understood: "How many findings are open?",
  corrected: [], refused: false, missing: [], data: [], facts: null, command: null, link: null, model: null, next: [], feedback: null, at: "2026-01-01T00:00:00Z",
};

/** show writes spans so that a test reads well: <b>, <c> and <1>. */
const show = (spans: Span[]): string => spans.map((s) => (s.is === "bold" ? `<b>${show(s.spans)}</b>` : s.is === "code" ? `<c>${s.text}</c>` : s.is === "cite" ? `<${s.n}>` : s.text)).join("").replace(/\u00a0</g, " <");
const shown = (text: string, cited: (n: number) => boolean = any) => blocksOf(text, cited).map((b) => (b.is === "p" ? "P " + b.lines.map(show).join("/") : "L " + b.items.map(show).join("|")));

describe("the markup of answers", () => {
  test("paragraphs, lists, bold, citations and commands", () => {
    expect(shown("**12** open findings [1].\nThe first:\n- **a** [2]\n- `b`\n\nand more")).toEqual(["P <b>12</b> open findings <1>./The first:", "L <b>a</b> <2>|<c>b</c>", "P and more"]);
  });
  test("a list may hold blank lines no longer than one list does", () => {
    expect(shown("- a\n\n- b")).toEqual(["L a", "L b"]);
    expect(shown("- a\n  goes on\nnot")).toEqual(["L a goes on", "P not"]);
  });
  test("bold holds citations and commands", () => {
    expect(shown("**see `x` [1]**")).toEqual(["P <b>see <c>x</c> <1></b>"]);
  });
  test("what is in a command is no markup", () => {
    expect(shown("`**a** [1]`")).toEqual(["P <c>**a** [1]</c>"]);
  });
  test("a number that is no source stays as it is", () => {
    expect(shown("x [2] [1]", (n) => n === 1)).toEqual(["P x [2] <1>"]);
  });
  test("a citation does not stand alone at the beginning of a line", () => {
    expect(spansOf("**a** b [1] [2]", any).map((s) => ("text" in s ? s.text : s.is))).toEqual(["bold", " b\u00a0", "cite", "\u00a0", "cite"]);
  });
  test("everything else is text: HTML, links, headings, pictures, half marks", () => {
    for (const text of ["<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "# title", "![a](http://x)", "a ** b ** c", "**open", "`open", "1. one", "> quote", "|a|b|"]) expect(shown(text)).toEqual(["P " + text]);
  });
  test("half of an answer can be read at every point of its way", () => {
    const text = "**12** of [1] `cmd`\n- **a** [2]\n- b";
    for (let i = 0; i <= text.length; i++) expect(() => blocksOf(text.slice(0, i), any)).not.toThrow();
  });
  test("a text made to be slow is not", () => {
    const begin = performance.now();
    for (const s of ["*".repeat(40_000), "**a".repeat(13_000), "`".repeat(40_000), "[1".repeat(20_000), "- ".repeat(20_000), "**a ".repeat(10_000)]) blocksOf(s, any);
    expect(performance.now() - begin).toBeLessThan(2000);
  });
  test("who hears it hears no marks", () => {
    expect(wordsOf("**12** open [1].\n- `a` [2]", any)).toBe("12 open.\na");
  });
});

describe("server-sent events", () => {
  const all = (...chunks: string[]) => {
    const events = new Events();
    return chunks.flatMap((c) => events.push(c));
  };
  test("are the same wherever the stream is cut", () => {
    const text = ': hello\r\nevent: text\r\ndata: {"text":"a"}\r\nid: 4\r\n\r\nevent: reset\ndata\n\nevent: answer\rdata: 1\rdata: 2\r\r\n';
    const want = [{ name: "text", data: '{"text":"a"}' }, { name: "reset", data: "" }, { name: "answer", data: "1\n2" }];
    expect(all(text)).toEqual(want);
    expect(all(...text)).toEqual(want);
    for (let i = 0; i < text.length; i++) expect(all(text.slice(0, i), text.slice(i))).toEqual(want);
  });
  test("an event without data is none, and one that did not end is not told", () => {
    expect(all("event: text\n\ndata: a")).toEqual([]);
  });
  test("a stream without end is refused", () => {
    expect(() => all("data: " + "x".repeat(largest + 1))).toThrow("too long");
    expect(() => all(...Array.from({ length: 30 }, () => "data: " + "x".repeat(100_000) + "\n"))).toThrow("too long");
  });
  test("become parts of an answer; unknown ones are left out, errors are thrown", () => {
    expect(partOf({ name: "text", data: '{"text":"a"}' })).toEqual({ kind: "text", text: "a" });
    expect(partOf({ name: "reset", data: "{}" })).toEqual({ kind: "reset" });
    expect(partOf({ name: "news", data: "?" })).toBeNull();
    expect(() => partOf({ name: "error", data: '{"status":503,"detail":"busy"}' })).toThrow("busy");
    expect(() => partOf({ name: "text", data: "{" })).toThrow();
  });
});

describe("a conversation", () => {
  const after = (...deeds: Deed[]) => deeds.reduce(reduce, empty);
  const asked: Deed = { do: "ask", question: "how many", about: null };
  test("grows word by word, begins anew, and ends with the whole answer", () => {
    const begun: Deed = { do: "hear", parts: [{ kind: "begun", begun: { session_id: "s1", understood: "", corrected: [], sources: [], model: null } }, { kind: "text", text: "a " }, { kind: "text", text: "b" }] };
    const talk = after(asked, begun);
    expect(talk).toMatchObject({ session: "s1", turns: [{ state: "asking", text: "a b" }] });
    expect(reduce(talk, { do: "hear", parts: [{ kind: "reset" }, { kind: "text", text: "c" }] }).turns[0]!.text).toBe("c");
    const done = reduce(talk, { do: "hear", parts: [{ kind: "answer", answer }] });
    expect(done.turns[0]).toMatchObject({ state: "answered", text: answer.answer });
    expect(isAsking(done)).toBe(false);
  });
  test("what comes after a stop is late", () => {
    const talk = after(asked, { do: "stop" }, { do: "hear", parts: [{ kind: "text", text: "late" }] });
    expect(talk.turns[0]).toMatchObject({ state: "stopped", text: "" });
  });
  test("a failure keeps the question and what was said", () => {
    const talk = after(asked, { do: "hear", parts: [{ kind: "text", text: "a" }] }, { do: "fail", error: new Error("x") });
    expect(talk.turns[0]).toMatchObject({ state: "failed", question: "how many", text: "a" });
  });
  test("an old one is opened with its end, and what is earlier is counted", () => {
    const talk = after({ do: "open", session: "s1", loading: true }, { do: "load", session: "s1", answers: [answer], total: 5 });
    expect(talk).toMatchObject({ loading: false, earlier: 4 });
    expect(reduce(talk, { do: "load", session: "s1", answers: [answer, answer], total: 5, before: true })).toMatchObject({ earlier: 2, turns: { length: 3 } });
  });
  test("a history of one that was left is not shown in another", () => {
    expect(after({ do: "open", session: "s2", loading: true }, { do: "load", session: "s1", answers: [answer], total: 1 }).turns).toEqual([]);
  });
  test("feedback stays with its answer", () => {
    const talk = after({ do: "open", session: "s1", loading: true }, { do: "load", session: "s1", answers: [answer], total: 1 }, { do: "renew", answer: { ...answer, feedback: { good: true, comment: "", at: "" } } });
    expect(talk.turns[0]!.answer!.feedback!.good).toBe(true);
  });
  test("arrows walk through what was asked, and back to what was being typed", () => {
    const list = ["a", "b"];
    expect(recall(list, null, -1)).toBe(1);
    expect(recall(list, 1, -1)).toBe(0);
    expect(recall(list, 0, -1)).toBe(0);
    expect(recall(list, 1, 1)).toBeNull();
    expect(recall([], null, -1)).toBeNull();
  });
});

describe("what is on the screen", () => {
  test("is the thing of the page", () => {
    expect(aboutOf("/assets/12", {})).toEqual({ kind: "host", id: "12" });
    expect(aboutOf("/findings/4", {})).toEqual({ kind: "finding", id: "4" });
    expect(aboutOf("/findings", { open: 9, severity: "high" })).toEqual({ kind: "finding", id: "9" });
    expect(aboutOf("/catalogue/cve-2021-44228", {})).toEqual({ kind: "cve", id: "CVE-2021-44228" });
    expect(aboutOf("/threats/T1059.001", {})).toEqual({ kind: "technique", id: "T1059.001" });
    expect(aboutOf("/scans/3", {})).toEqual({ kind: "scan", id: "3" });
    expect(aboutOf("/paths", { path: "p-1" })).toEqual({ kind: "path", id: "p-1" });
  });
  test("is the page with its filters, or nothing", () => {
    expect(aboutOf("/findings", { severity: ["high", "low"], open: "" })).toEqual({ kind: "page", id: "/findings?severity=high%2Clow" });
    expect(aboutOf("/", {})).toEqual({ kind: "page", id: "/" });
    expect(aboutOf("/settings/users", {})).toBeNull();
    expect(aboutOf("/settings", {})).toBeNull();
    expect(aboutOf("/ask", {})).toBeNull();
    expect(aboutOf("/constructor", {})).toBeNull();
    expect(aboutOf("/assets/%ZZ", {})).toBeNull();
    expect(aboutOf("/findings", { search: "x".repeat(500) })).toEqual({ kind: "page", id: "/findings" });
  });
  test("has words", () => {
    expect(aboutWords({ kind: "host", id: "12" }, "10.0.0.5")).toBe("host 10.0.0.5");
    expect(aboutWords({ kind: "page", id: "/findings?severity=high" })).toBe("these findings as filtered");
    expect(aboutWords({ kind: "page", id: "/" })).toBe("today");
  });
  test("and a link fills the field but chooses no odd conversation", () => {
    expect(repair({ session: "../x", q: " what ", about: "host:12" })).toEqual({ session: "", q: "what", about: { kind: "host", id: "12" } });
    expect(repair({ session: 12, about: "evil:1" })).toEqual({ session: "12", q: "", about: null });
    expect(repair({ about: "page:/findings?x=a:b" }).about).toEqual({ kind: "page", id: "/findings?x=a:b" });
  });
});

describe("what is shown beside an answer", () => {
  test("how it was read, when a word was read as another or it is not sure", () => {
    expect(readAs(answer)).toBe(false);
    expect(readAs({ ...answer, sure: "low" })).toBe(true);
    expect(readAs({ ...answer, sure: "low", understood: "How many?" })).toBe(false);
    expect(readAs({ ...answer, corrected: [{ from: "lgo4j", to: "log4j" }] })).toBe(true);
  });
  test("data that is old or missing", () => {
    const fresh = { name: "kev", at: "2026-01-01T00:00:00Z", age_hours: 1, stale: false, note: null };
    expect(staleWords([fresh])).toBeNull();
    expect(staleWords([fresh, { ...fresh, name: "epss", at: null }])).toBe("EPSS missing");
  });
  test("what is missing, unless the words say it", () => {
    expect(newlyMissing({ answer: "I don't know, because **there is no host** 10.0.0.9.", missing: ["There is no host 10.0.0.9", "a scan of it"] })).toEqual(["a scan of it"]);
  });
  test("where a refused question's data can be had", () => {
    expect(waysOn({ ...answer, missing: ["the feed epss never ran"] })[0]!.to).toBe("/threats?tab=feeds");
    expect(waysOn({ ...answer, missing: ["host 10.0.0.9 was never scanned"] })[0]!.to).toBe("/scans?start=true");
    expect(waysOn({ ...answer, missing: [], link: "/settings/scope" })).toEqual([{ to: "/settings/scope", name: "Open the page" }]);
    expect(waysOn({ ...answer, missing: [] })).toEqual([]);
  });
  test("a table where there is a list", () => {
    const item = { kind: "host", id: "1", name: "a", count: 2, value: null };
    expect(tableOf({ count: 2, yes: null, value: null, items: [item, { ...item, count: null }], more: 0 })).toMatchObject({ counts: true, values: false });
    expect(tableOf({ count: 1, yes: null, value: null, items: [item], more: 0 })).toBeNull();
  });
  test("what the facts name leads to its page", () => {
    expect([homeOf("host", "12"), homeOf("cve", "CVE-2021-44228"), homeOf("site", "dmz"), homeOf("host", "../x"), homeOf("constructor", "1")]).toEqual(["/assets/12", "/catalogue/CVE-2021-44228", null, null, null]);
  });
  test("Markdown has whole addresses, and what others wrote is no markup in it", () => {
    const text = markdownOf({ ...answer, question: "is *it*?", sources: [source, { ...source, n: 2, kind: "host", id: "1", title: "a](http://x) <b>\n# c", url: "/assets/1", from: null, at: null }, { ...source, n: 3, url: "https://evil.example" }] }, "https://scout.example/base/");
    expect(text).toBe(
      "**is \\*it\\*?**\n\n**12** open findings [1].\n\n1. [CVE-2021-44228 Log4j](https://scout.example/base/catalogue/CVE-2021-44228), NVD, 2021-12-10\n" +
        "2. [a\\](http://x) \\<b\\> \\# c](https://scout.example/base/assets/1)\n3. CVE-2021-44228 Log4j, NVD, 2021-12-10\n",
    );
  });
  test("only addresses of this server are opened", () => {
    for (const bad of ["https://x", "//x", "/\\x", "javascript:alert(1)", "", "x", "/a b", "/\tx"]) expect(insideOf(bad)).toBeNull();
    expect(insideOf("/findings?severity=high#a")).toBe("/findings?severity=high#a");
    expect(isPage("/findings?x=1") && isPage("/") && isPage("/assets/1")).toBe(true);
    expect(isPage("/docs/api") || isPage("/findingsx")).toBe(false);
  });
  test("names say the id where people know it", () => {
    expect(nameOf(source)).toBe("CVE-2021-44228 Log4j");
    expect(nameOf({ kind: "host", id: "12", title: "10.0.0.5" })).toBe("10.0.0.5");
    expect(nameOf({ kind: "list", id: "findings", title: "" })).toBe("findings");
  });
});
