// Texts of ATT&CK, and which of one's own CVEs lead to a technique.

/** Stretch is a part of a text: as it is, or the name of what it links to. */
export type Stretch = { text: string; code: boolean };

/** paragraphsOf takes the marks of ATT&CK's texts out: citations, links of which the name stays, headings, code. */
export function paragraphsOf(text: string): Stretch[][] {
  return text
    .replace(/\(Citation: [^()]*(?:\([^()]*\)[^()]*)*\)/g, "")
    .replace(/\[([^\]\n]{1,200})\]\((?:https?:[^)\s]*)\)/g, "$1")
    .replace(/<\/?code>/g, "`")
    .split(/\n\s*\n|\n(?=- )/)
    .map((p) => p.trim().replace(/^#+ /, "").replaceAll("**", ""))
    .filter((p) => p !== "")
    .map((p) => p.split("`").map((s, i) => ({ text: s, code: i % 2 === 1 })).filter((s) => s.text !== ""));
}

/** partsOf cuts a list into parts whose words, with blanks between, have at most so many characters: one request each. */
export function partsOf(words: readonly string[], most: number): string[][] {
  const parts: string[][] = [];
  let length = most + 1;
  for (const word of words) {
    if (length + 1 + word.length > most) {
      parts.push([]);
      length = -1;
    }
    parts.at(-1)!.push(word);
    length += 1 + word.length;
  }
  return parts;
}

const kindWords: Record<string, string> = {
  exploitation_technique: "how it is exploited", primary_impact: "what it gives at once", secondary_impact: "what follows", other: "in other ways",
};

/** kindOf is how a CVE leads to a technique. */
export const kindOf = (kind: string) => kindWords[kind] ?? kind.replaceAll("_", " ");

/** short of how a tactic is called in ATT&CK's data is its name in words: "initial-access". */
export const tacticOf = (short: string) => short.split("-").map((w) => (w === "and" ? w : w.charAt(0).toUpperCase() + w.slice(1))).join(" ");
