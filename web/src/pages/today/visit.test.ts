import { describe, expect, it } from "vitest";

import { keep, read, sinceOf } from "./visit";

const at = (text: string) => Date.parse(text);

describe("a visit to Today", () => {
  const kept = { since: "2026-11-20T08:00:00Z", seen: "2026-11-23T10:00:00Z" };

  it("goes on through reloads and short absences", () => {
    expect(sinceOf(kept, true, at("2026-11-23T10:05:00Z"))).toBe("2026-11-20T08:00:00Z");
  });

  it("is a new one after a while: the server says since when, or without sign-in the browser", () => {
    expect(sinceOf(kept, true, at("2026-11-23T12:00:00Z"))).toBe(null);
    expect(sinceOf(kept, false, at("2026-11-23T12:00:00Z"))).toBe("2026-11-23T10:00:00Z");
  });

  it("asks for nothing that a broken or foreign note says", () => {
    const storage = (text: string | null) => ({ getItem: () => text });
    expect(read(storage(null), "x")).toBe(null);
    expect(read(storage("{"), "x")).toBe(null);
    expect(read(storage('{"since":"yesterday","seen":7}'), "x")).toBe(null);
    expect(sinceOf(null, false)).toBe(null);
  });

  it("survives a browser that keeps nothing", () => {
    const full = { setItem: () => { throw new Error("full"); } };
    expect(() => keep(full, "x", null)).not.toThrow();
  });
});
