import { expect, test } from "vitest";

import { filled, oneOf, textOf, truthOf, wholeOf } from "./chosen";

test("what an address says is repaired, not believed", () => {
  expect(textOf(2024)).toBe("2024");
  expect(textOf({ a: 1 })).toBe("");
  expect(textOf("x".repeat(500))).toHaveLength(200);
  expect(oneOf("no such", ["first", "second"])).toBe("first");
  expect(oneOf("second", ["first", "second"])).toBe("second");
  expect(truthOf("yes")).toBe(false);
  expect(truthOf(true)).toBe(true);
  expect(wholeOf("7", 0, 10)).toBe(7);
  expect(wholeOf(-3, 0, 10)).toBe(0);
  expect(wholeOf(1.5, 0, 10)).toBe(0);
});

test("what is not chosen does not stand in the address", () => {
  expect(filled({ tab: "feeds", q: "", mine: false, kinds: [], at: undefined, n: 0 })).toEqual({ tab: "feeds", n: 0 });
});
