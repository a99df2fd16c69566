import { expect, test } from "vitest";

import { columnsOf, linesOf, moved, tallied, type Exposed } from "./matrix";

const tactics = [{ id: "TA0001", name: "Initial Access", short: "initial-access" }, { id: "TA0002", name: "Execution", short: "execution" }];
const technique = (id: string, tactics: string[], findings = 0, decision: string | null = null, parent: string | null = null): Exposed => ({ id, name: id === "T1059" ? "Command and Scripting Interpreter" : id, tactics, parent, findings, hosts: findings, kev: 0, decision });
const all = [technique("T1190", ["initial-access"], 3, "attend"), technique("T1566", ["initial-access"]), technique("T1059", ["execution"], 2, "act"), technique("T1059.007", ["execution"], 2, "act", "T1059"), technique("T1059.001", ["execution"], 0, null, "T1059")];

test("each tactic has its techniques, and sub-techniques are folded into theirs", () => {
  const columns = columnsOf(tactics, all, { mine: false, words: "" });
  expect(columns.map((c) => c.cells.map((x) => x.technique.id))).toEqual([["T1190", "T1566"], ["T1059"]]);
  expect(columns[1]!.cells[0]).toMatchObject({ touched: 1, mine: true });
});

test("only mine leaves what findings lead to", () => {
  const columns = columnsOf(tactics, all, { mine: true, words: "" });
  expect(columns.map((c) => c.cells.map((x) => x.technique.id))).toEqual([["T1190"], ["T1059"]]);
  expect(linesOf(columns[1]!, new Set(["T1059"]))).toEqual(["T1059", "T1059.007"]);
});

test("words find techniques by name, number and by those within", () => {
  expect(columnsOf(tactics, all, { mine: false, words: "scripting" }).map((c) => c.tactic.short)).toEqual(["execution"]);
  expect(columnsOf(tactics, all, { mine: false, words: "t1059.007" })).toHaveLength(1);
  expect(columnsOf(tactics, all, { mine: false, words: "nothing like it" })).toEqual([]);
});

test("arrow keys move down a column, over to the next, and stop at the edges", () => {
  const lengths = [2, 0, 1];
  expect(moved(lengths, { column: 0, line: 0 }, "ArrowDown")).toEqual({ column: 0, line: 1 });
  expect(moved(lengths, { column: 0, line: 1 }, "ArrowDown")).toEqual({ column: 0, line: 1 });
  expect(moved(lengths, { column: 0, line: 1 }, "ArrowRight")).toEqual({ column: 2, line: 0 });
  expect(moved(lengths, { column: 2, line: 0 }, "ArrowRight")).toEqual({ column: 2, line: 0 });
  expect(moved(lengths, { column: 2, line: 0 }, "ArrowLeft")).toEqual({ column: 0, line: 0 });
  expect(moved(lengths, { column: 0, line: 0 }, "End")).toEqual({ column: 0, line: 1 });
  expect(moved(lengths, { column: 0, line: 0 }, "x")).toBeNull();
});

test("what is unfolded can be reached by keys too", () => {
  const [, execution] = columnsOf(tactics, all, { mine: false, words: "" });
  expect(linesOf(execution!, new Set(["T1059"]))).toEqual(["T1059", "T1059.007", "T1059.001"]);
  expect(linesOf(execution!, new Set())).toEqual(["T1059"]);
});

test("techniques are told by the most urgent decision, and those without a finding apart", () => {
  expect(tallied(all)).toEqual({ none: 2, attend: 1, act: 2 });
});
