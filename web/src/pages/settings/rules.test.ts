import { expect, test } from "vitest";

import { listIn, saysOf, whereOf } from "./rules";

test("a rule is told in words, its conditions one by one", () => {
  expect(whereOf({ sites: ["lab"], severities: ["low", "medium"] })).toEqual([{ name: "site", values: ["lab"] }, { name: "severity", values: ["low", "medium"] }]);
  expect(whereOf({ host: 7 })).toEqual([{ name: "host", values: ["number 7"] }]);
  expect(whereOf({})).toEqual([]);
});

test("what a rule says of findings and of hosts is told alike", () => {
  expect(saysOf({ state: "false_positive", assign: "anna", labels: ["legacy"] })).toEqual(["false positive", "for anna", "label legacy"]);
  expect(saysOf({ exposed: false, owner: "ops" })).toEqual(["owner ops", "not exposed"]);
});

test("what is typed as a list becomes one", () => {
  expect(listIn("10.0.0.0/8, *.lab.example.org\n10.0.0.0/8")).toEqual(["10.0.0.0/8", "*.lab.example.org"]);
});
