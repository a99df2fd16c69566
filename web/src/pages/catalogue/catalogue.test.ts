import { describe, expect, it } from "vitest";

import { everyVersion, partsOf, productsOf, rangeOf } from "./ranges";
import { anySet, furtherSet, newsOf, queryOf, repair } from "./search";
import { cveOf, restsOn, timelineOf, vectorWords, webOf } from "./story";

describe("the address of a search", () => {
  it("survives being written and read", () => {
    const look = repair({ q: "openssh", severity: ["high", "critical"], kev: true, min_cvss: 7, min_epss: "0.1", technique: "t1190", cwe: 79, published_after: "2024-01-01" });
    expect(look.severity).toEqual(["critical", "high"]);
    expect(queryOf(look)).toMatchObject({ query: "openssh", severity: ["critical", "high"], kev: true, min_cvss: 7, min_epss: 0.1, technique: "T1190", cwe: "CWE-79", published_after: "2024-01-01" });
    expect(furtherSet(look)).toBe(5);
  });
  it("leaves out what makes no sense", () => {
    const look = repair({ severity: "awful", min_cvss: "eleven", min_epss: 2, sort: "drop table", technique: "T1", published_after: "yesterday", exploit: {}, q: 42, kev: "perhaps" });
    expect(queryOf(look)).toEqual(queryOf(repair({ q: "42" })));
    expect(anySet(repair({}))).toBe(false);
  });
  it("takes a list of severities as text too", () => expect(repair({ severity: "low,high" }).severity).toEqual(["high", "low"]));
  it("gives the feed that tells the same", () => {
    expect(newsOf(repair({ kev: true, product: "log4j" }), "rss")).toBe("feeds/exploited.rss?product=log4j");
    expect(newsOf(repair({}), "atom")).toBe("feeds/latest.atom");
  });
});

describe("affected versions", () => {
  it("tells from, to and fixed apart", () => {
    expect(rangeOf({ cpe: "cpe:2.3:a:openbsd:openssh", versions: ">= 8.5p1, < 9.8" })).toMatchObject({ kind: "software", vendor: "openbsd", product: "openssh", from: "8.5p1", to: "", fixed: "9.8" });
    expect(rangeOf({ cpe: "cpe:2.3:a:apache:flink", versions: ">= 1.11.0, <= 1.11.2" })).toMatchObject({ from: "1.11.0", to: "1.11.2", fixed: "" });
  });
  it("reads a version and its update out of the name", () => {
    expect(rangeOf({ cpe: "cpe:2.3:a:openbsd:openssh:8.5:p1", versions: null })).toMatchObject({ from: "8.5 p1", to: "8.5 p1" });
  });
  it("knows colons behind backslashes", () => expect(partsOf("cpe:2.3:a:perl:net\\:\\:ssh:1.0")[4]).toBe("net::ssh"));
  it("says when every version is meant", () => expect(everyVersion(rangeOf({ cpe: "cpe:2.3:o:linux:linux_kernel", versions: null }))).toBe(true));
  it("groups by product and shows a range once", () => {
    const rule = { cpe: "cpe:2.3:a:python:python", versions: "< 3.8.20" };
    const found = productsOf([rule, rule, { cpe: "cpe:2.3:a:python:python", versions: ">= 3.9.0, < 3.9.20" }, { cpe: "cpe:2.3:o:debian:debian_linux:12", versions: null }]);
    expect(found.map((p) => [p.product, p.ranges.length])).toEqual([["python", 2], ["debian_linux", 1]]);
  });
});

describe("the story of a CVE", () => {
  it("names what a sentence rests on once", () => {
    expect(restsOn({ topic: "attack", text: "", fields: ["cvss.vector.AV", "cvss.vector.PR", "kev.added"] })).toEqual(["CVSS", "CISA's list of exploited CVEs"]);
  });
  it("tells in order what happened", () => {
    const cve = { published: "2024-06-09", modified: "2024-08-19", kev_added: "2024-06-12", kev_due: "2024-07-03", epss_date: null, ssvc: null, exploits: [{ published: "2024-06-07", source: "exploitdb" }] };
    expect(timelineOf(cve as never, "2026-11-20T10:00:00Z").map((m) => m.day)).toEqual(["2024-06-07", "2024-06-09", "2024-06-12", "2024-07-03", "2024-08-19", "2026-11-20"]);
  });
  it("opens nothing but the web", () => {
    expect(webOf("javascript:alert(1)")).toBeNull();
    expect(webOf("data:text/html,x")).toBeNull();
    expect(webOf(" java\nscript:alert(1)")).toBeNull();
    expect(webOf("https://example.org/x")?.hostname).toBe("example.org");
  });
  it("knows a CVE's id however it is written", () => {
    expect(cveOf(" cve-2021-44228 ")).toBe("CVE-2021-44228");
    expect(cveOf("log4j")).toBeNull();
  });
  it("spells a vector out", () => expect(vectorWords("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H")).toContainEqual(["Somebody's help", "needed"]));
});
