import { describe, expect, it } from "vitest";

import { countedOf, placeOf, sums } from "./ledger";
import { after, busy, heard, hidden, itemOf, next, tally, type Item } from "./queue";
import { importSearch } from "./search";

const files = (n: number): Item[] => Array.from({ length: n }, (_, i) => itemOf(i, { name: `${i}.xml`, size: 10 }, 100));

describe("files on their way", () => {
  it("go two at a time", () => {
    let q = after([], { what: "added", items: files(4) });
    expect(next(q).map((i) => i.key)).toEqual([0, 1]);
    q = after(after(q, { what: "began", key: 0 }), { what: "began", key: 1 });
    expect(next(q)).toEqual([]);
    q = after(q, { what: "taken", key: 0, id: 7, tool: "nmap" });
    expect(next(q).map((i) => i.key)).toEqual([2]);
    expect(q[0]).toMatchObject({ stage: "reading", id: 7 });
  });

  it("are heard of four at a time while they are read", () => {
    let q = after([], { what: "added", items: files(6) });
    for (let key = 0; key < 6; key++) q = after(q, { what: "taken", key, id: key + 1, tool: "nmap" });
    expect([...heard(q)]).toEqual([0, 1, 2, 3]);
    expect([...heard(after(q, { what: "read", key: 0 }))]).toEqual([1, 2, 3, 4]);
  });

  it("are not sent when they are too large, and say what to do", () => {
    const large = itemOf(1, { name: "a", size: 3e9 }, 2e9);
    expect(large.stage).toBe("refused");
    expect(large.says).toContain("3.0 GB");
    expect(itemOf(1, { name: "a", size: 3e9 }, undefined).stage).toBe("waiting");
  });

  it("can be tried again, and cleared away when they are through", () => {
    let q = after(after([], { what: "added", items: files(2) }), { what: "refused", key: 0, says: "no" });
    expect(tally(q)).toBe("1 to send, 1 not imported");
    expect(after(q, { what: "again", key: 0 })[0]).toMatchObject({ stage: "waiting", says: null });
    expect(busy(q)).toBe(true);
    q = after(q, { what: "stopped", key: 1 });
    expect(busy(q)).toBe(false);
    expect(after(q, { what: "cleared" })).toEqual([]);
  });

  it("are no leavings of file managers", () => {
    expect(["a/.DS_Store", ".git/config", "x/Thumbs.db", "scan.xml", "a.b/c.xml"].map(hidden)).toEqual([true, true, true, false, false]);
  });
});

describe("the ledger", () => {
  it("adds up", () => {
    const c = countedOf({ records: 13, expanded: 2, findings: { new: 3, merged: 4, informational: 5 }, dropped: [{ reason: "a", count: 1 }, { reason: "b", count: 2 }] } as never);
    expect(c.dropped).toBe(3);
    expect(sums(c)).toEqual({ read: 15, kept: 15, even: true });
    expect(sums({ ...c, new: 0 }).even).toBe(false);
  });

  it("names the file and the line of what was wrong", () => {
    expect(placeOf("bad.xml: nmap report, line 3: </nmaprun> closes nothing")).toEqual({ file: "bad.xml", line: 3, says: "nmap report, line 3: </nmaprun> closes nothing" });
    expect(placeOf("file: empty.jsonl: not a report of a tool that is known here").file).toBe("empty.jsonl");
    expect(placeOf("the server does not answer")).toEqual({ file: null, line: null, says: "the server does not answer" });
  });
});

it("repairs what stands in the address", () => {
  expect(importSearch({ tool: ["x"], site: 12, full: "yes", only: null })).toEqual({ tool: "", site: "12", full: false, only: "" });
});
