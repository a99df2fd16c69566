import { describe, expect, it } from "vitest";

import { inWords } from "./fields";
import { asked, counted, keyOf, read, sure, write } from "./search";

describe("an address", () => {
  it("reads back what was written", () => {
    const search = { search: "open ssh", decision: "act,attend", kev: true, port: "22,443", min_cvss: 7.5, due_before: "2026-12-04", sort: "cvss:asc", group: "host", open: 17 };
    expect(write(read(search))).toEqual(search);
  });
  it("of nothing is the list of everything, most urgent first", () => {
    expect(read({})).toEqual({ filter: {}, sort: { by: "rank", asc: false }, group: null, open: null });
    expect(write(read({}))).toEqual({});
  });
  it("is repaired: what does not fit is left out", () => {
    const { filter, sort, group, open } = read({
      decision: "act,panic", severity: ["high", "critical"], kev: "yes please", port: "22,x,99999999", min_cvss: 11, min_epss: "0.5", due_before: "soon", state: "lost",
      sort: "'; drop table", group: "colour", open: "-3", host: 42, unheard: 1,
    });
    expect(filter).toEqual({ decision: ["act"], severity: ["critical", "high"], port: ["22"], min_epss: 0.5, host: "42" });
    expect([sort.by, group, open]).toEqual(["rank", null, null]);
  });
  it("sorts what is due soonest first, and all else largest first", () => {
    expect(read({ sort: "due" }).sort).toEqual({ by: "due", asc: true });
    expect(read({ sort: "cvss" }).sort).toEqual({ by: "cvss", asc: false });
    expect(write(read({ sort: "due:asc" })).sort).toBe("due");
  });
  it("keeps a value with a comma whole", () => {
    expect(read(write({ ...read({}), filter: { label: ["a,b"] } })).filter.label).toEqual(["a,b"]);
  });
});

describe("how sure", () => {
  it("is confirmed unless somebody chose otherwise", () => {
    expect(asked({})).toEqual({ confirmed: true });
    expect(asked({ confirmed: false })).toEqual({});
    expect(asked({ potential: true })).toEqual({ potential: true });
    expect(asked({ confidence: 30 })).toEqual({ confidence: 30 });
    expect(sure({ decision: ["act"] })).toBe(true);
  });
  it("does not narrow what is counted", () => expect(counted({ kev: true, confirmed: true })).toEqual({ kev: true }));
  it("makes another list", () => {
    const rank = { by: "rank", asc: false } as const;
    expect(keyOf({}, rank)).toBe(keyOf({ confirmed: true }, rank));
    expect(keyOf({}, rank)).not.toBe(keyOf({ confirmed: false }, rank));
  });
});

describe("a filter in words", () => {
  it("says what it lets through", () => {
    expect(inWords("decision", { decision: ["act", "attend"] })).toBe("Decision: Act or Attend");
    expect(inWords("label", { label: ["web", "pci"] })).toBe("Label: web and pci");
    expect(inWords("overdue", { overdue: true })).toBe("Overdue");
    expect(inWords("kev", { kev: false })).toBe("Not: known exploited");
    expect(inWords("min_epss", { min_epss: 0.1 })).toBe("EPSS at least 10 %");
    expect(inWords("confirmed", { confirmed: false })).toBe("With potential findings");
    expect(inWords("search", { search: "ssh" })).toBe("“ssh”");
    expect(inWords("triage", { triage: ["false_positive"] })).toBe("Triage: False positive");
  });
});
