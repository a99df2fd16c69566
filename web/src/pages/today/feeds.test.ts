import { describe, expect, it } from "vitest";

import type { Schema } from "../../api/client";
import { ageOf, freshness, troublesOf } from "./feeds";

type Feed = Schema<"FeedState">;

const now = Date.parse("2026-11-22T10:00:00Z");

function feed(name: string, part: Partial<Feed> = {}): Feed {
  return {
    feed: name, enabled: true, status: "ok", records: 100, newest: "2026-11-22", starter: null, last_good_at: "2026-11-22T08:00:00Z", last_run_at: null, age_hours: 2,
    source: null, error: null, schedule: "@every 24h", due_at: null, stale: false, missing: null, ...part,
  };
}

const say = (feeds: Feed[]) => troublesOf(feeds, now).map((t) => `${t.name} ${t.says}`);

describe("the health of feeds", () => {
  it("is silent about fresh ones and those that are off", () => {
    expect(say([feed("kev"), feed("osv", { enabled: false, records: 0, last_good_at: null })])).toEqual([]);
    expect(freshness([feed("kev"), feed("epss", { age_hours: 20 })])).toBe("All 2 feeds are fresh. The oldest is EPSS, loaded 20 hours ago.");
  });

  it("says how old what is too old is, and puts the important ones first", () => {
    expect(say([feed("exploitdb", { stale: true, age_hours: 72 }), feed("epss", { stale: true, age_hours: 288 })])).toEqual(["EPSS is 12 days old", "Exploit-DB is 3 days old"]);
  });

  it("says what was never loaded, and the minor ones in one line", () => {
    const none = { records: 0, last_good_at: null, age_hours: null, newest: null };
    expect(say([feed("feodo", none), feed("kev", none), feed("urlhaus", none)])).toEqual(["KEV was never loaded", "Feodo Tracker and URLhaus were never loaded"]);
  });

  it("does not speak of old data where there are none", () => {
    const [trouble] = troublesOf([feed("epss", { records: 0, last_good_at: null, age_hours: null, newest: null })], now);
    expect(trouble!.means).toBe("chances of attack are PatchScout's own estimates, or missing");
  });

  it("sees an old copy that was loaded lately", () => {
    expect(say([feed("epss", { newest: "2026-10-01" })])).toEqual(["EPSS has nothing newer than Oct 1, 2026"]);
  });

  it("tells failed tries apart from old data", () => {
    const [trouble] = troublesOf([feed("kev", { status: "failed" }), feed("cwe", { status: "failed" })], now);
    expect(`${trouble!.name} ${trouble!.says}; ${trouble!.means}`).toBe("KEV and CWE could not be refreshed at the last try; what was loaded 2 hours ago still stands");
    expect(trouble!.bad).toBe(false);
  });

  it("knows the starter", () => {
    expect(say([feed("nvd", { starter: "2026-01-01" })])).toEqual(["NVD is the small starter of Jan 1, 2026"]);
  });

  it("says ages in units that fit", () => {
    expect([0.01, 0.5, 1, 30, 288, 24 * 1200].map(ageOf)).toEqual(["1 minute", "30 minutes", "1 hour", "30 hours", "12 days", "3 years"]);
  });
});
