import { expect, test } from "vitest";

import { bodyOf, termOf, typedOf, wrongIn } from "./sla";

const none = { decision: { act: 0, attend: 0, plan: 0, track: 0 }, severity: { critical: 0, high: 0, medium: 0, low: 0, info: 0 } };
const terms = { ...none, file: none, source: "file" as const, changed_at: null, by: null, job_id: null };

test("fields are empty where the configuration file decides", () => {
  expect(Object.values(typedOf(terms)).every((v) => v === "")).toBe(true);
  expect(typedOf({ ...terms, source: "settings", decision: { ...none.decision, act: 3 } })["decision.act"]).toBe("3");
});

test("what is emptied goes back to the file, what is 0 sets no term", () => {
  const body = bodyOf({ "decision.act": "", "decision.attend": "0", "severity.high": "30" });
  expect(body.decision).toMatchObject({ act: null, attend: 0 });
  expect(body.severity).toMatchObject({ high: 30, low: null });
});

test("only whole days of ten years are terms", () => {
  expect(wrongIn("")).toBeNull();
  expect(wrongIn("3650")).toBeNull();
  for (const bad of ["-1", "1.5", "3651", "ten", "1e3"]) expect(wrongIn(bad)).not.toBeNull();
  expect([termOf(0), termOf(1), termOf(30)]).toEqual(["no term", "1 day", "30 days"]);
});
