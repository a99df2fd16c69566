import { describe, expect, it } from "vitest";

import type { Schema } from "../../api/client";
import { dayName, headline } from "./headline";

type Today = Schema<"Today">;

const now = Date.parse("2026-11-23T15:00:00Z"); // a Monday

function today(part: { urgent?: Partial<Today["urgent"]>; overdue?: number; due?: [string, number][]; confirmed?: number; total?: number }): Today {
  const confirmed = part.confirmed ?? 10;
  return {
    urgent: { findings: 0, hosts: 0, kev: 0, by: null, ...part.urgent },
    overdue: part.overdue ?? 0,
    due_soon: (part.due ?? []).map(([day, findings]) => ({ day, findings })),
    counts: { total: part.total ?? confirmed, confirmed, kev: 0, by_severity: {}, by_decision: {} },
  } as unknown as Today;
}

const says = (t: Today) => headline(t, now).map((w) => w.text).join("");

describe("the sentence on top of Today", () => {
  it("says how many, where, until when, and whether attackers use them", () => {
    expect(says(today({ urgent: { findings: 3, hosts: 2, kev: 1, by: "2026-11-26" } }))).toBe("3 findings on 2 hosts need action by Thursday. Attackers use one of them.");
    expect(says(today({ urgent: { findings: 1, hosts: 1, kev: 1, by: "2026-11-24" } }))).toBe("1 finding on 1 host needs action by tomorrow. Attackers use it.");
    expect(says(today({ urgent: { findings: 2, hosts: 1, kev: 2, by: "2026-11-23" } }))).toBe("2 findings on 1 host need action by today. Attackers use both.");
  });

  it("says what is overdue", () => {
    expect(says(today({ urgent: { findings: 7, hosts: 3, kev: 3, by: "2026-11-26" }, overdue: 4 }))).toBe("7 findings on 3 hosts need action by Thursday, 4 are overdue already. Attackers use 3 of them.");
    expect(says(today({ urgent: { findings: 5, hosts: 3, by: "2026-11-01" }, overdue: 5 }))).toBe("5 findings on 3 hosts are overdue.");
  });

  it("says when there is time", () => {
    expect(says(today({ due: [["2026-11-23", 0], ["2026-12-02", 5]] }))).toBe("Nothing needs action today. 5 findings are due next, by 2 December.");
    expect(says(today({}))).toBe("Nothing is urgent. 10 open findings can wait for planned work.");
    expect(says(today({ confirmed: 0, total: 31 }))).toBe("No finding is confirmed. 31 potential ones wait for better evidence.");
    expect(says(today({ confirmed: 0 }))).toBe("No open finding is known.");
  });

  it("leads to exactly the findings that it counts", () => {
    const words = headline(today({ urgent: { findings: 3, hosts: 2, kev: 1, by: "2026-11-26" } }), now);
    expect(words.flatMap((w) => (w.filter ? [w.filter] : []))).toEqual([{ due_before: "2026-11-27" }, { due_before: "2026-11-27", kev: true }]);
  });

  it("names days as people do", () => {
    expect(dayName("2026-11-29", now)).toBe("Sunday");
    expect(dayName("2026-11-30", now)).toBe("30 November");
    expect(dayName("2026-11-20", now)).toBe("20 November");
  });
});
