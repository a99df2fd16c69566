import { describe, expect, it } from "vitest";

import { compareSearch, listSearch, numberOf, scanSearch } from "./search";
import { bodyOf, mayAllow, ruleOf, targetsOf, wrongOf, type Form } from "./targets";
import { held } from "./held";
import { consequences } from "./withdrawn";
import { left, nameOf, seconds, stateOf, tellable } from "./words";

const form: Form = { targets: "10.0.0.1", profile: "quick", scanners: ["native"], site: "", ports: "", exclude: "", excludePorts: "", minutes: null, baseline: null };

describe("addresses", () => {
  it("repairs what stands there", () => {
    expect(listSearch({ status: "<script>", kind: 7, site: 123, start: "true", targets: ["x"], pick: -1 })).toEqual({ status: "", kind: "", site: "123", start: true, targets: "", profile: "", pick: 0 });
    expect(scanSearch({ tab: "nowhere" }).tab).toBe("findings");
    expect(compareSearch({ with: "44", what: "fixed" })).toEqual({ with: 44, what: "fixed" });
    expect(compareSearch({ with: "1e400" }).with).toBe(0);
    expect([numberOf("42"), numberOf("0"), numberOf("4x"), numberOf(undefined), numberOf("99999999999999999999")]).toEqual([42, null, null, null, null]);
  });
});

describe("targets", () => {
  it("are read as people write them", () => {
    expect(targetsOf("10.0.0.1\n10.0.0.1\n 10.1.0.0/24, host.example # the lab\nhttps://x.example/a#b\n10.0.0.5 - 10.0.0.9")).toEqual(["10.0.0.1", "10.1.0.0/24", "host.example", "https://x.example/a#b", "10.0.0.5-10.0.0.9"]);
    expect(targetsOf("# nothing\n\n")).toEqual([]);
  });

  it("send only what was changed", () => {
    expect(bodyOf(form, ["native"])).toEqual({ target_url: "10.0.0.1", scan_type: "quick", config: {} });
    expect(bodyOf({ ...form, targets: "a\nb", scanners: ["nmap"], site: "dmz", ports: "22, 80", exclude: "10.0.0.9", minutes: 1.5, baseline: 4 }, ["native"]).config).toEqual({ targets: ["b"], scanners: ["nmap"], site: "dmz", ports: "22,80", exclude: ["10.0.0.9"], timeout_s: 90, baseline: 4 });
  });

  it("put a refusal beside its field", () => {
    expect(wrongOf([{ place: "body.config.ports", message: "bad" }, { place: "body.target_url", message: "a" }, { place: "body.config.targets[0]", message: "b" }, { place: "", message: "c" }])).toEqual({ ports: "bad", targets: "a; b", "": "c" });
    expect(wrongOf([{ place: "body.config.exclude_ports", message: "x" }])).toEqual({ exclude_ports: "x" });
  });

  it("can be allowed by a rule where one could speak of them", () => {
    const refused = { allowed: false, denied: 1, reason: "outside of the scan scope", target: "8.8.8.8" };
    expect(mayAllow(refused)).toBe(true);
    expect(mayAllow({ ...refused, reason: "link-local addresses are never scanned" })).toBe(false);
    expect(mayAllow({ ...refused, denied: 0 })).toBe(false);
    expect(["https://shop.example:8443/x", "[2001:db8::1]:80", "host:22", "192.0.2.0/24", "2001:db8::/64", "8.8.8.1-8.8.8.9", "http://[2001:db8::2]/"].map(ruleOf)).toEqual(["shop.example", "2001:db8::1", "host", "192.0.2.0/24", "2001:db8::/64", null, "2001:db8::2"]);
  });
});

describe("sentences", () => {
  it("say where a scan stands", () => {
    expect(stateOf({ status: "running", paused: true, reason: null })).toBe("paused");
    expect(stateOf({ status: "failed", paused: false, reason: "cancelled" })).toBe("cancelled");
    expect(stateOf({ status: "failed", paused: true, reason: "disk full" })).toBe("failed");
  });

  it("tell time as one would", () => {
    expect([null, 3, 32, 70, 3599, 5400, 90_000].map(left)).toEqual([null, "a few seconds left", "about 30 s left", "about 1 min left", "about 1 h left", "about 1.5 h left", "about 25 h left"]);
    expect(seconds({ started_at: null, completed_at: null })).toBeNull();
    expect(seconds({ started_at: "2026-01-01T00:00:00Z", completed_at: "2026-01-01T00:01:00Z" })).toBe(60);
  });

  it("name a scan by its targets, an import by its file", () => {
    expect(nameOf({ kind: "scan", target: "a", targets: ["a", "b", "c", "d"] })).toBe("a, b and 2 more");
    expect(nameOf({ kind: "import", target: "/tmp/x/r.xml", targets: ["/tmp/x/r.xml"] })).toBe("r.xml");
  });

  it("are told to screen readers by quarters and stages, not each second", () => {
    const scan = { status: "running" as const, stage: "ports", progress: 0, paused: false, reason: null, findings: 2, hosts: 1 };
    const at = (percent: number) => tellable(scan, { percent, stage: "ports", eta_s: 1, tasks: { done: 0, total: 1 } });
    expect(new Set(Array.from({ length: 100 }, (_, i) => at(i))).size).toBe(4);
    expect(at(60)).toBe("More than 50 percent, ports.");
    expect(tellable({ ...scan, status: "completed" }, null)).toBe("The scan is over: 1 host answered, 2 findings.");
  });
});

describe("taking back", () => {
  const nothing = { findings_gone: 0, reopened: 0, closed: 0, kept: 0, changed: 0, hosts: 3, hosts_gone: 0, services_gone: 0 };
  it("says what it comes to, in the number of the thing", () => {
    expect(consequences(nothing)).toEqual(["No finding, host or service changes."]);
    expect(consequences({ ...nothing, findings_gone: 1, hosts_gone: 2 })).toEqual(["1 finding goes: nothing else saw it.", "2 of 3 hosts go: nothing else knows them."]);
  });
});

it("keeps a growing list where its reader is", () => {
  expect(held(["b", "a"], ["d", "c", "b", "a"])).toEqual({ shown: ["b", "a"], waiting: 2 });
  expect(held(["b"], ["b"])).toEqual({ shown: ["b"], waiting: 0 });
});
