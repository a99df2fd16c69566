import { expect, test } from "vitest";

import { repairAudit, repairJobs } from "./search";

test("an address that somebody bent shows all jobs", () => {
  expect(repairJobs({ state: "DROP", kind: 3, job: "1 OR 1" })).toEqual({ state: "", kind: "", after: "", job: "" });
  expect(repairJobs({ state: "dead", job: 17 })).toMatchObject({ state: "dead", job: "17" });
});

test("the audit trail takes days, names and groups of actions", () => {
  expect(repairAudit({ who: "anna", action: "user.", since: "2026-11-01", until: "soon", outcome: "denied", after: 12 })).toEqual({
    who: "anna", action: "user.", subject: "", from: "", outcome: "denied", since: "2026-11-01", until: "", after: "12",
  });
});
