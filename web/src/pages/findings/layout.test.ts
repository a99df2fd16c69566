import { describe, expect, it } from "vitest";

import { fit, track } from "./layout";

const ids = (width: number, hidden?: string[]) => fit(width, hidden).map((w) => w.id);

describe("columns", () => {
  it("all stand where there is room", () => expect(ids(1600)).toHaveLength(11));
  it("give way one by one, the least needed first", () => {
    expect(ids(1180)).not.toContain("seen");
    expect(ids(1180)).toContain("cvss");
    expect(ids(1004)).toEqual(["select", "decision", "severity", "title", "host", "service", "likelihood", "due"]);
    expect(ids(760)).toEqual(["select", "decision", "severity", "title", "host", "due"]);
    expect(ids(200)).toEqual(["select", "title"]);
  });
  it("stay away when nobody wants them, and leave their room to others", () => {
    expect(ids(1180, ["service"])).toEqual(["select", "decision", "severity", "title", "host", "likelihood", "cvss", "due", "triage", "seen"]);
    expect(ids(1600, ["title"])).toContain("title");
  });
  it("are a grid in which one grows", () => expect(track(fit(300))).toBe("2.25rem minmax(0, 1fr)"));
});
