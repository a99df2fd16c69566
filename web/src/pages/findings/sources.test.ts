import { describe, expect, it } from "vitest";

import { dayOf, sourcesOf, webAddress } from "./sources";

const of = {
  cvss_source: "php", cvss_version: "3.1", likelihood_source: "epss", evidence: [{ scanner: "nessus", scan_id: 1, reason: null, confidence: 80, output: null }],
  cve_facts: { kev_added: "2024-06-12", epss_date: "2025-12-31", likelihood_source: "epss", exploits: [{ source: "metasploit", id: "m", kind: null, published: null, rank: null, title: null, url: null, verified: false }], provenance: [{ field: "description", source: "nvd", date: "2024-08-19" }] },
};

describe("who says so", () => {
  it("is named once, with the day", () => {
    expect(sourcesOf(["exploits", "kev", "kev.added"], of)).toEqual(["Metasploit", `CISA KEV, ${dayOf("2024-06-12")}`]);
    expect(sourcesOf(["cvss.vector.A", "cvss.vector.C", "description"], of)).toEqual(["CVSS 3.1 by php", `NVD, ${dayOf("2024-08-19")}`]);
    expect(sourcesOf(["likelihood"], of)).toEqual([`EPSS, ${dayOf("2025-12-31")}`]);
    expect(sourcesOf(["decision", "forensics"], of)).toEqual(["CISA BOD 26-04"]);
  });
  it("is the scanner where there is no CVE, and nobody where nobody is known", () => {
    expect(sourcesOf(["check"], { ...of, cve_facts: null })).toEqual(["Nessus"]);
    expect(sourcesOf(["moon"], of)).toEqual([]);
  });
});

describe("a link", () => {
  it("leads to the web only", () => {
    expect(webAddress("https://example.org/a")).toBe("https://example.org/a");
    expect(webAddress("javascript:alert(1)")).toBeNull();
    expect(webAddress("data:text/html,x")).toBeNull();
    expect(webAddress("//example.org")).toBeNull();
  });
});
