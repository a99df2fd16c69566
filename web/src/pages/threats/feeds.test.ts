import { expect, test } from "vitest";

import { held, scheduleOf, secondsOf, standingOf } from "./feeds";

const feed = {
  feed: "kev", enabled: true, status: "ok", records: 1404, newest: "2025-08-25", starter: null, last_good_at: "2026-11-22T01:52:25Z", last_run_at: "2026-11-22T01:52:25Z",
  age_hours: 8.3, source: null, error: null, schedule: "@every 6h", due_at: null, stale: false, missing: null,
};

test("a feed that failed keeps its records and says so; only an old one is stale", () => {
  expect(standingOf(feed).word).toBe("Good");
  expect(standingOf({ ...feed, status: "failed" }).word).toBe("Last run failed");
  expect(standingOf({ ...feed, status: "failed", stale: true }).word).toBe("Stale");
  expect(standingOf({ ...feed, stale: true }).word).toBe("Stale");
});

test("a feed that was never loaded is not shown as empty", () => {
  expect(standingOf({ ...feed, records: 0, last_good_at: null, status: null }).word).toBe("Never loaded");
  expect(standingOf({ ...feed, records: 0, last_good_at: null, status: "failed" }).word).toBe("Failed");
});

test("off and a missing key come before everything else", () => {
  expect(standingOf({ ...feed, enabled: false, status: "failed" }).word).toBe("Off");
  expect(standingOf({ ...feed, missing: "needs a key", status: "failed" })).toMatchObject({ word: "Needs a key", says: "needs a key" });
});

test("what was held back can be told from what failed", () => {
  expect(held({ ...feed, error: "held: feed kev would lose 30 % of its records; use --force if that is meant" })).toBe(true);
  expect(held({ ...feed, error: "dial tcp: no such host" })).toBe(false);
});

test("schedules are said in words", () => {
  expect(scheduleOf("@every 6h")).toBe("every 6 hours");
  expect(scheduleOf("@every 168h")).toBe("every week");
  expect(scheduleOf("@every 24h")).toBe("every day");
  expect(scheduleOf("@every 1h")).toBe("every hour");
  expect(scheduleOf("@daily")).toBe("daily");
  expect(scheduleOf("0 3 * * *")).toBe("0 3 * * *");
  expect(scheduleOf(null)).toBe("only when you ask");
});

test("a run that goes on has no length yet", () => {
  expect(secondsOf({ started_at: "2026-01-01T00:00:00Z", completed_at: null })).toBeNull();
  expect(secondsOf({ started_at: "2026-01-01T00:00:00Z", completed_at: "2026-01-01T00:00:03Z" })).toBe(3);
});
