import { expect, test } from "vitest";

import { harmless, hostOf, isOf, sortedOut, valuesIn } from "./indicators";

test("what is pasted from a mail, a list or a log is taken apart, each value once", () => {
  expect(valuesIn("203.0.113.9, hxxp://evil[.]example/a.exe\n203.0.113.9;\t\"evil[.]example\"\n\n")).toEqual(["203.0.113.9", "hxxp://evil[.]example/a.exe", "evil[.]example"]);
  expect(valuesIn("(203.0.113.9).")).toEqual(["203.0.113.9"]);
  expect(valuesIn("  \n ")).toEqual([]);
});

const answer = { value: "x", kind: "ip", canonical: "x", found: false, expired: false, indicators: [], urls: [], error: null };

test("what is listed now comes apart from what has expired, what is unknown and what is no indicator", () => {
  const s = sortedOut([{ ...answer, found: true }, { ...answer, found: true, expired: true }, answer, { ...answer, error: "no" }]);
  expect([s.found.length, s.expired.length, s.unknown.length, s.refused.length]).toEqual([1, 1, 1, 1]);
});

test("a host is found by what an indicator leads to, not by a part of a name", () => {
  expect(hostOf("url", "http://evil.example:8080/a")).toBe("evil.example");
  expect(hostOf("url", "http://[2001:db8::1]/a")).toBe("2001:db8::1");
  expect(hostOf("hash", "abc")).toBeNull();
  const host = { address: "10.0.0.1", addresses: ["10.0.0.1"], hostnames: ["Web.Example"] };
  expect(isOf(host, "web.example")).toBe(true);
  expect(isOf(host, "10.0.0.10")).toBe(false);
});

test("a malicious address is written so that nobody follows it by mistake", () => {
  expect(harmless("http://evil.example/a.exe")).toBe("hxxp://evil[.]example/a.exe");
  expect(harmless("203.0.113.9")).toBe("203.0.113.9");
});
