import { describe, expect, it } from "vitest";

import { foldPossible, reasonOf } from "./possible";
import { anySet, hostQuery, repair } from "./search";
import { suggestionsFor } from "./suggest";
import { after, backOf, changeOfTags, waysBack } from "./words";

const said = { tags: ["dmz"], owner: "web", criticality: null, exposed: null };

describe("the address of assets", () => {
  it("keeps what makes sense and drops the rest", () => {
    const look = repair({ tab: "services", q: 42, site: "a b", port: 99999, criticality: "awful", owner: " web " });
    expect([look.tab, look.q, look.site, look.port, look.criticality, look.owner]).toEqual(["services", "42", "", "", "", "web"]);
    expect(anySet(repair({}))).toBe(false);
    expect(hostQuery(repair({ tag: "dmz", criticality: "high" }))).toEqual({ search: undefined, site: undefined, owner: undefined, tag: "dmz", criticality: "high" });
  });
});

describe("what people say of hosts", () => {
  it("is shown at once as it will be", () => {
    expect(after(said, { tags: ["prod", "-dmz"], owner: "", criticality: "high", exposed: "no" })).toEqual({ tags: ["prod"], owner: null, criticality: "high", exposed: false });
  });
  it("can be taken back to what it was", () => {
    expect(backOf({ tags: ["prod", "-dmz"], owner: "ops", criticality: "high", exposed: "yes" }, said)).toEqual({ tags: ["-prod", "dmz"], owner: "web", criticality: "", exposed: "unset" });
  });
  it("takes back nothing that was so before", () => expect(backOf({ tags: ["dmz"] }, said)).toEqual({}));
  it("needs few requests to take back words of many hosts", () => {
    const hosts = [1, 2, 3].map((id) => ({ ...said, id, owner: id === 3 ? "db" : "web" }));
    expect(waysBack(hosts, { owner: "ops" })).toEqual([{ hosts: ["1", "2"], words: { owner: "web" } }, { hosts: ["3"], words: { owner: "db" } }]);
  });
  it("sends what changed of the tags", () => expect(changeOfTags(["a", "b"], ["b", "c"])).toEqual(["c", "-a"]));
});

describe("hosts that may be one", () => {
  const host = (id: number, more: object) => ({ id, site: "default", address: null, addresses: [] as string[], hostnames: [] as string[], os: null, ...more });
  it("share a name or an address in one site", () => {
    const one = host(1, { hostnames: ["Files.example.org", "localhost"], addresses: ["10.0.0.1"] });
    const found = suggestionsFor(one, [host(1, {}), host(2, { hostnames: ["files.example.org"] }), host(3, { hostnames: ["localhost"] }), host(4, { site: "other", addresses: ["10.0.0.1"] }), host(5, { addresses: ["10.0.0.1"], hostnames: ["files.example.org"] })]);
    expect(found.map((f) => f.host.id)).toEqual([5, 2]);
  });
});

describe("potential findings", () => {
  const finding = (more: object) => ({ port: 22, protocol: "tcp", service: "OpenSSH 9.2", component: null, status: "affected", confidence: 30, kev: false, evidence: [], ...more }) as never;
  it("fold into one line per service, the exploited first", () => {
    const folds = foldPossible([finding({}), finding({}), finding({ port: 443, service: "nginx", kev: true })]);
    expect(folds.map((f) => [f.place, f.n, f.kev])).toEqual([["443/tcp", 1, 1], ["22/tcp", 2, 0]]);
    expect(folds[1]!.reasons).toEqual([{ why: "confidence 30 % is below 70 %", n: 2 }]);
  });
  it("say why they are not counted", () => {
    expect(reasonOf({ status: "affected", confidence: 30, evidence: [{ reason: "Debian backports fixes" }] } as never)).toBe("the distribution backports fixes");
    expect(reasonOf({ status: "conditional", confidence: 50, evidence: [] } as never)).toMatch(/together/);
  });
});
