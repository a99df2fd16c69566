import { describe, expect, it } from "vitest";

import { back, done, lasting, saying, type Earlier } from "./deeds";

const row = (id: number, more: Partial<Earlier> = {}): Earlier => ({ id, triage: "none", triage_reason: null, triage_until: null, triage_rule: null, assignee: null, labels: [], state: "open", ...more });

describe("a deed", () => {
  it("shows at once what the row will be", () => {
    expect(done(row(1), { do: "triage", state: "accepted", reason: "replaced", until: "2027-01-31" })).toMatchObject({ triage: "accepted", triage_reason: "replaced", triage_until: "2027-01-31" });
    expect(done(row(1, { assignee: "ben" }), { do: "assign", to: "" }).assignee).toBeNull();
    expect(done(row(1, { labels: ["old", "pci"] }), { do: "label", label: ["web", "-old"] }).labels).toEqual(["pci", "web"]);
    expect(done(row(1), { do: "close", reason: "off" }).state).toBe("closed");
  });
  it("is said in words with a number", () => {
    expect(saying({ do: "triage", state: "false_positive", reason: "x" }, 3)).toBe("3 findings: false positive.");
    expect(saying({ do: "assign", to: "anna" }, 1)).toBe("1 finding assigned to anna.");
  });
});

describe("taking back", () => {
  it("gives each finding its own earlier triage, with one request for those that were alike", () => {
    const before = [row(1), row(2), row(3, { triage: "accepted", triage_reason: "old", triage_until: "2099-01-31" }), row(4, { triage: "confirmed" })];
    expect(back({ do: "triage", state: "false_positive", reason: "x" }, before)).toEqual([
      { deed: { do: "triage", state: "none" }, ids: [1, 2] },
      { deed: { do: "triage", state: "accepted", reason: "old", until: "2099-01-31" }, ids: [3] },
      { deed: { do: "triage", state: "confirmed" }, ids: [4] },
    ]);
  });
  it("leaves to a rule what the rule said, and to the past what is over", () => {
    const before = [row(1, { triage: "accepted", triage_reason: "r", triage_until: "2099-01-31", triage_rule: 7 }), row(2, { triage: "accepted", triage_reason: "r", triage_until: "2020-01-31" })];
    expect(back({ do: "triage", state: "confirmed" }, before)).toEqual([{ deed: { do: "triage", state: "none" }, ids: [1, 2] }]);
  });
  it("puts back only the labels and names that changed", () => {
    expect(back({ do: "label", label: ["web", "-old"] }, [row(1, { labels: ["web", "old"] }), row(2), row(3, { labels: ["web"] })])).toEqual([
      { deed: { do: "label", label: ["old"] }, ids: [1] },
      { deed: { do: "label", label: ["-web"] }, ids: [2] },
    ]);
    expect(back({ do: "assign", to: "anna" }, [row(1, { assignee: "ben" }), row(2, { assignee: "anna" })])).toEqual([{ deed: { do: "assign", to: "ben" }, ids: [1] }]);
  });
  it("is not for what the server never forgets", () => {
    expect(lasting({ do: "close", reason: "x" })).toBe(true);
    expect(lasting({ do: "assign", to: "x" })).toBe(false);
  });
});
