// What a scanned host, a report or a feed said is shown as it is and does nothing: what cannot be seen, or would turn the
// text around it, is spelled out.

/** Part is a stretch of text, or the spelled-out name of one character. */
export type Part = { text: string; mark: boolean };

// C0 and C1 controls but for line breaks and tabs; bidirectional controls (Unicode Standard, UAX #9); characters without
// width, tags, variation selectors and the private use area, by which words can be made to look like others.
const unseen =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ue000-\uf8ff]|[\u{e0000}-\u{e0fff}]|[\ud800-\udfff](?![\udc00-\udfff])/gu;

const names: Record<number, string> = {
  0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x1b: "ESC", 0x7f: "DEL", 0xad: "SHY", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM",
  0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
};

/** partsOf splits a text into what can be shown and the names of what cannot. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(unseen)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), mark: false });
    const code = found[0].codePointAt(0) ?? 0;
    parts.push({ text: names[code] ?? "U+" + code.toString(16).toUpperCase().padStart(4, "0"), mark: true });
    end = found.index + found[0].length;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), mark: false });
  return parts;
}

/** plain is the text for places that hold no elements (titles, names for screen readers, file names). */
export function plain(text: string): string {
  return partsOf(text)
    .map((p) => (p.mark ? `‹${p.text}›` : p.text))
    .join("");
}

const most = 4000;

/** Inert shows a text from outside. Everything that hosts, reports, feeds and other people wrote goes through it. */
export function Inert({ text, mono, cut }: { text: string | null | undefined; mono?: boolean; cut?: boolean }) {
  if (text === null || text === undefined || text === "") return <Missing />;
  const shown = text.length > most ? text.slice(0, most) : text;
  const parts = partsOf(shown);
  const classes = "inert" + (mono ? " mono" : "") + (cut ? " cut" : "");
  return (
    <bdi className={classes} title={cut ? plain(shown) : undefined} style={cut ? { display: "inline-block", maxWidth: "100%", verticalAlign: "bottom" } : undefined}>
      {parts.map((p, i) => (p.mark ? <span key={i} className="inert-mark" title="a character that cannot be seen">{p.text}</span> : p.text))}
      {text.length > most && <span className="dim"> … {(text.length - most).toLocaleString()} characters more</span>}
    </bdi>
  );
}

/** Raw shows the output of a tool, line by line as it came. */
export function Raw({ text, label }: { text: string; label: string }) {
  return (
    <pre className="raw" tabIndex={0} aria-label={label}>
      {partsOf(text.slice(0, 65536)).map((p, i) => (p.mark ? <span key={i} className="inert-mark">{p.text}</span> : p.text))}
      {text.length > 65536 && `\n… ${(text.length - 65536).toLocaleString()} characters more`}
    </pre>
  );
}

/** Missing stands where a fact is not known; nothing is ever shown as 0 that is not known. */
export function Missing({ why = "not known" }: { why?: string }) {
  return (
    <span className="dim" title={why}>
      <span aria-hidden="true">–</span>
      <span className="sr">{why}</span>
    </span>
  );
}
