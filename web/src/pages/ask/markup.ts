// The little markup that an answer has: paragraphs, "- " lists, **bold**, [1] for source 1 and `commands`. Everything else
// is text as it stands; nothing here ever becomes HTML.

/** Span is a stretch of a line. What is bold may hold citations and commands. */
export type Span = { is: "text"; text: string } | { is: "code"; text: string } | { is: "cite"; n: number } | { is: "bold"; spans: Span[] };

/** Block is a paragraph, or a list. */
export type Block = { is: "p"; lines: Span[][] } | { is: "list"; items: Span[][] };

// No answer is longer; a stream that goes on is cut here, so that a page stays quick.
const most = 40_000;

/** blocksOf reads an answer. cited says which sources there are: a number in brackets that is none of them is text. */
export function blocksOf(text: string, cited: (n: number) => boolean): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  for (const raw of text.slice(0, most).split(/\r\n|\r|\n/)) {
    const line = raw.trimEnd();
    const item = /^\s{0,3}- +(.*)$/.exec(line);
    if (line.trim() === "") open = null;
    else if (item) {
      if (open?.is !== "list") blocks.push((open = { is: "list", items: [] }));
      open.items.push(spansOf(item[1]!, cited));
    } else if (open?.is === "list" && /^\s{2,}\S/.test(raw)) open.items[open.items.length - 1]!.push({ is: "text", text: " " }, ...spansOf(line.trim(), cited));
    else {
      if (open?.is !== "p") blocks.push((open = { is: "p", lines: [] }));
      open.lines.push(spansOf(line.trim(), cited));
    }
  }
  return blocks;
}

// A command first, since what stands in it is no markup; then a citation; then bold, which may hold both.
const marks = /`([^`]+)`|\[(\d{1,3})\]|\*\*(?=\S)((?:(?!\*\*).)*\S)\*\*/g;

/** spansOf reads one line. */
export function spansOf(line: string, cited: (n: number) => boolean, inside = false): Span[] {
  const spans: Span[] = [];
  const say = (text: string) => {
    const last = spans[spans.length - 1];
    if (text && last?.is === "text") last.text += text;
    else if (text) spans.push({ is: "text", text });
  };
  let end = 0;
  for (const found of line.matchAll(marks)) {
    const [all, code, n, bold] = found;
    say(line.slice(end, found.index));
    end = found.index + all.length;
    if (code !== undefined) spans.push({ is: "code", text: code });
    else if (n !== undefined && cited(Number(n))) {
      const last = spans[spans.length - 1];
      if (last?.is === "text") last.text = last.text.replace(/ $/, "\u00a0"); // a citation stays with the word before it
      spans.push({ is: "cite", n: Number(n) });
    }
    else if (bold !== undefined && !inside) spans.push({ is: "bold", spans: spansOf(bold, cited, true) });
    else say(all);
  }
  say(line.slice(end));
  return spans;
}

/** wordsOf is an answer for those who hear it: without marks. */
export function wordsOf(text: string, cited: (n: number) => boolean): string {
  const say = (spans: Span[]): string => spans.map((s) => (s.is === "bold" ? say(s.spans) : s.is === "cite" ? "" : s.text)).join("");
  return blocksOf(text, cited)
    .flatMap((b) => (b.is === "p" ? b.lines : b.items).map((l) => say(l).replace(/\s+([.,;:])/g, "$1").trim()))
    .join("\n");
}
