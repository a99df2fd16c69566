import { expect, test } from "vitest";

import { kindOf, paragraphsOf, partsOf, tacticOf } from "./technique";

test("a text of ATT&CK is read without its marks", () => {
  expect(paragraphsOf("Adversaries may use [sqlmap](https://attack.mitre.org/software/S0225).(Citation: sqlmap Introduction)\n\nRun `id` or <code>whoami</code>.")).toEqual([
    [{ text: "Adversaries may use sqlmap.", code: false }],
    [{ text: "Run ", code: false }, { text: "id", code: true }, { text: " or ", code: false }, { text: "whoami", code: true }, { text: ".", code: false }],
  ]);
});

test("a citation with brackets in it goes whole", () => {
  expect(paragraphsOf("Seen.(Citation: Report (2021) of X) Again.")).toEqual([[{ text: "Seen. Again.", code: false }]]);
});

test("markup in a text stays text", () => {
  expect(paragraphsOf("<script>alert(1)</script>")).toEqual([[{ text: "<script>alert(1)</script>", code: false }]]);
});

test("many CVEs are asked for in parts that fit a request", () => {
  const parts = partsOf(["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"], 28);
  expect(parts).toEqual([["CVE-2024-0001", "CVE-2024-0002"], ["CVE-2024-0003"]]);
  expect(partsOf([], 28)).toEqual([]);
});

test("words of the data are words for people", () => {
  expect(kindOf("primary_impact")).toBe("what it gives at once");
  expect(tacticOf("command-and-control")).toBe("Command and Control");
});
