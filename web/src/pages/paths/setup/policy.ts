// A policy as a file: writing one from what is in force, and finding the line that a complaint of the server is about.
import type { Schema } from "../../../api/client";
import { partsOf } from "../../../ui/inert";

export type Policy = Schema<"PathPolicy">;

export const example = `# who may open connections to whom; the first rule that says anything decides
rules:
  - {from: internet, to: "site:dmz", ports: [tcp/80, tcp/443], action: allow, note: web shop}
  - {from: internet, to: any, action: deny}
  - {from: "site:dmz", to: "site:servers/10.0.8.0/24", ports: [tcp/5432], action: allow}
clients: [10.4.0.0/16]
`;

/** isDeclared says whether anything was declared. */
export const isDeclared = (p: Policy): boolean => p.rules.length > 0 || p.same.length > 0 || p.clients.length > 0;

// JSON's strings are YAML's too, whatever is in them.
const text = (s: string) => JSON.stringify(s);
const list = (all: readonly string[]) => `[${all.map(text).join(", ")}]`;

/** yamlOf writes what is in force as a file that can be declared again. */
export function yamlOf(p: Policy): string {
  const lines = p.rules.map((r) => `  - {from: ${text(r.from)}, to: ${text(r.to)}${r.ports.length > 0 ? `, ports: ${list(r.ports)}` : ""}, action: ${r.allow ? "allow" : "deny"}${r.note ? `, note: ${text(r.note)}` : ""}}`);
  const parts = [lines.length > 0 ? `rules:\n${lines.join("\n")}\n` : "rules: []\n"];
  if (p.same.length > 0) parts.push(`same:\n${p.same.map((group) => `  - ${list(group)}`).join("\n")}\n`);
  if (p.clients.length > 0) parts.push(`clients: ${list(p.clients)}\n`);
  return parts.join("");
}

/** Complaint is what is wrong with a file, and in which line of it; line is 0 where none is named. */
export type Complaint = { line: number; says: string };

/** complaintsOf reads what the server says of a file: "policy.yaml line 4: rules[2].to: …", "rule 3 of policy.yaml: …". */
export function complaintsOf(message: string, file: string): Complaint[] {
  const ruleLines = ruleLinesOf(file);
  return message.split(/\n|; (?=[^;]* line \d+: )/).filter((m) => m.trim() !== "").map((m) => {
    const line = /\bline (\d+):\s*(.*)/s.exec(m);
    if (line) return { line: Number(line[1]), says: line[2]! };
    const rule = /^rule (\d+) of [^:]*:\s*(.*)/s.exec(m);
    return rule ? { line: ruleLines[Number(rule[1]) - 1] ?? 0, says: rule[2]! } : { line: 0, says: m };
  });
}

/** ruleLinesOf says in which lines the rules of a file begin, as far as its look tells: list items of YAML, lines of a table. */
export function ruleLinesOf(file: string): number[] {
  const lines = file.split("\n");
  const table = looksLikeTable(file);
  const said = lines.map((l, i) => ({ l: l.trim(), n: i + 1, deep: l.length - l.trimStart().length })).filter(({ l }) => l !== "" && !l.startsWith("#"));
  if (table) return said.slice(1).map(({ n }) => n);
  const begin = said.findIndex(({ l }) => /^rules\s*:/.test(l));
  const after = said.slice(begin + 1);
  const end = after.findIndex(({ l, deep }) => deep === 0 && !l.startsWith("-"));
  return (end < 0 ? after : after.slice(0, end)).filter(({ l }) => l.startsWith("-")).map(({ n }) => n);
}

/** looksLikeTable tells CSV from YAML by its first line that says anything. */
export const looksLikeTable = (file: string): boolean => /^\s*"?(from|to|ports|action|note)"?\s*,/im.test(file.split("\n").find((l) => l.trim() !== "" && !l.trim().startsWith("#")) ?? "");

/** nameOf is how a file is called whose text was written or pasted. */
export const fileNameOf = (text: string, name: string): string => (/\.(ya?ml|csv|json)$/i.test(name) ? name : looksLikeTable(text) ? "policy.csv" : "policy.yaml");

/** unseenIn are the lines of a file with characters that cannot be seen or turn the text around, with their names: a field for text shows them as nothing. */
export const unseenIn = (file: string): { line: number; names: string[] }[] =>
  file.slice(0, 1 << 20).split("\n").flatMap((l, i) => {
    const names = partsOf(l.replace(/\r$/, "")).filter((p) => p.mark).map((p) => p.text);
    return names.length > 0 ? [{ line: i + 1, names: [...new Set(names)] }] : [];
  });
