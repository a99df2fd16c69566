// Rules in words: of what they speak, and what they say.
import type { Schema } from "../../api/client";
import { wordOf } from "../../ui/words";

type Rule = Schema<"Rule">;

const conditions: [keyof Schema<"RuleWhere">, string][] = [
  ["weaknesses", "weakness"], ["hosts", "hosts"], ["sites", "site"], ["tags", "tag"], ["products", "product"], ["within", "image"], ["components", "component"], ["severities", "severity"], ["sensors", "scanner"], ["ports", "port"], ["labels", "label"],
];

/** whereOf is of what a rule speaks: a name of each condition and its values. */
export function whereOf(where: Rule["where"]): { name: string; values: string[] }[] {
  const out = conditions.flatMap(([key, name]) => {
    const values = where[key];
    return Array.isArray(values) && values.length > 0 ? [{ name, values: values.map(String) }] : [];
  });
  return where.host ? [{ name: "host", values: [`number ${where.host}`] }, ...out] : out;
}

/** saysOf is what a rule says, a few words each. */
export function saysOf(says: Rule["says"]): string[] {
  return [
    says.state && wordOf(says.state).toLowerCase(),
    says.assign && `for ${says.assign}`,
    says.labels?.length && `label ${says.labels.join(", ")}`,
    says.owner && `owner ${says.owner}`,
    says.criticality && `criticality ${says.criticality}`,
    says.exposed !== undefined && (says.exposed ? "exposed" : "not exposed"),
    says.tags?.length && `tag ${says.tags.join(", ")}`,
    says.vex && `VEX ${says.vex.replaceAll("_", " ")}`,
  ].filter((w): w is string => !!w);
}

/** listIn takes apart what was typed with commas, semicolons or blanks between. */
export const listIn = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
