import { describe, expect, it } from "vitest";

import { asked, insidePath } from "./where";

describe("where somebody goes after signing in", () => {
  it("is the page that he wanted", () => {
    expect(insidePath("/findings?severity=critical#x")).toBe("/findings?severity=critical#x");
    expect(insidePath("/assets/12")).toBe("/assets/12");
  });

  it.each([
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example", "/.//evil.example",
    "/a/..//evil.example", "findings", "", "/api/v1/auth/logout", "/x/../api/v1/auth/logout", 7, null, undefined, ["/findings"], "/" + "a".repeat(3000),
  ])("is never %j", (to) => {
    expect(insidePath(to)).toBe("/");
  });

  it("is not the sign-in page again", () => {
    expect(insidePath("/signin")).toBe("/");
    expect(insidePath("/signin?to=%2Ffindings&ended=true")).toBe("/findings");
    expect(insidePath("/signin?to=%2Fsignin%3Fto%3D%2F")).toBe("/");
    expect(insidePath("/signin?to=%2F%2Fevil.example")).toBe("/");
  });

  it("reads the address as it comes back from a link", () => {
    expect(asked({ to: "/scans", change: "true", ended: true })).toEqual({ to: "/scans", change: true, ended: true, refused: null });
    expect(asked({ refused: "call 555-0100 now" }).refused).toBe("the server's log says why.");
    expect(asked({ refused: "role" }).refused).toMatch(/role/);
    expect(asked({ change: "no", refused: { a: 1 } })).toEqual({ to: "/", change: false, ended: false, refused: null });
  });
});
