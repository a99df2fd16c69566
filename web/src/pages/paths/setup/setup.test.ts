import { describe, expect, it } from "vitest";

import { complaintsOf, example, fileNameOf, isDeclared, looksLikeTable, ruleLinesOf, unseenIn, yamlOf, type Policy } from "./policy";

const policy: Policy = {
  rules: [{ n: 1, from: "internet", to: "site:dmz", ports: ["tcp/443"], allow: true, note: 'the "shop": yes\n- {x}' }, { n: 2, from: "any", to: "10.0.0.0/8", ports: [], allow: false, note: null }],
  same: [["dmz/192.0.2.7", "servers/10.0.8.7"]], clients: ["10.4.0.0/16"], source: "p.yaml", at: null, by: null,
};

describe("a policy as a file", () => {
  it("is written so that notes stay notes", () => {
    expect(yamlOf(policy)).toBe('rules:\n  - {from: "internet", to: "site:dmz", ports: ["tcp/443"], action: allow, note: "the \\"shop\\": yes\\n- {x}"}\n  - {from: "any", to: "10.0.0.0/8", action: deny}\nsame:\n  - ["dmz/192.0.2.7", "servers/10.0.8.7"]\nclients: ["10.4.0.0/16"]\n');
    expect(isDeclared(policy)).toBe(true);
    expect(isDeclared({ ...policy, rules: [], same: [], clients: [] })).toBe(false);
  });

  it("is YAML or a table by its look, whatever it is called", () => {
    expect(looksLikeTable(example)).toBe(false);
    expect(looksLikeTable("# of the firewall\n\nFrom,to,ports,action\n")).toBe(true);
    expect(looksLikeTable("rules:\n  - {from: any, to: any, action: deny}\n")).toBe(false);
    expect([fileNameOf("from,to,action\n", ""), fileNameOf(example, "notes.txt"), fileNameOf(example, "edge.yml")]).toEqual(["policy.csv", "policy.yaml", "edge.yml"]);
  });

  it("a complaint is found in its line", () => {
    expect(complaintsOf('bad.yaml line 2: rules[0].from: "nowhere" is no network: want "internet"', "")).toEqual([{ line: 2, says: 'rules[0].from: "nowhere" is no network: want "internet"' }]);
    expect(complaintsOf('rule 2 of b.yaml: to: no site "nope"; sites are branch, default', example)).toEqual([{ line: 4, says: 'to: no site "nope"; sites are branch, default' }]);
    expect(complaintsOf("the file is empty", "")).toEqual([{ line: 0, says: "the file is empty" }]);
  });

  it("names what cannot be seen in it", () => {
    expect(unseenIn("a\r\nb\u202ec\u202e\n\u0007")).toEqual([{ line: 2, names: ["RLO"] }, { line: 3, names: ["BEL"] }]);
    expect(unseenIn(example)).toEqual([]);
  });

  it("knows in which lines rules begin", () => {
    expect(ruleLinesOf(example)).toEqual([3, 4, 5]);
    expect(ruleLinesOf("from,to,action\n# one\nany,any,deny\ninternet,any,deny\n")).toEqual([3, 4]);
    expect(ruleLinesOf("rules:\n- from: any\n  to: any\n  action: deny\nsame:\n- [a/1, b/2]\n")).toEqual([2]);
  });
});
