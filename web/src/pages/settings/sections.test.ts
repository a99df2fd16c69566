import { expect, test } from "vitest";

import { groups, sectionOf, sections } from "./sections";

test("every part has an address of its own and a place in the side list", () => {
  expect(new Set(sections.map((s) => s.id)).size).toBe(sections.length);
  expect(groups).toEqual(["You", "Access", "Scanning", "Judging", "Server"]);
});

test("an address without a part is the first, one with an unknown part is none", () => {
  expect(sectionOf(undefined)?.id).toBe("account");
  expect(sectionOf("scope")?.id).toBe("scope");
  expect(sectionOf("__proto__")).toBeUndefined();
});
