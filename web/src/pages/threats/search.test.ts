import { expect, test } from "vitest";

import { repair, techniqueOf } from "./search";

test("an address that says nothing shows what is newly exploited", () => {
  expect(repair({})).toMatchObject({ tab: "exploited", order: "listed", q: "", mine: false, skip: 0, kind: "", run: 0 });
});

test("an address that somebody bent shows the page all the same", () => {
  expect(repair({ tab: "<script>", order: 7, skip: -4, kind: "mail", feed: "../etc", run: "x" })).toMatchObject({ tab: "exploited", order: "listed", skip: 0, kind: "", feed: "", run: 0 });
});

test("a search for a number is a search for its digits", () => {
  expect(repair({ q: 2024 }).q).toBe("2024");
});

test("a technique's id is taken in any case, and nothing else is", () => {
  expect(techniqueOf("t1059.001")).toBe("T1059.001");
  expect(techniqueOf("T1190/../x")).toBeNull();
});
