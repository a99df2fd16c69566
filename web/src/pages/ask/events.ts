// Server-sent events (WHATWG HTML, 9.2.6) from a stream of text, with limits: a stream is somebody else's.

export type ServerEvent = { name: string; data: string };

/** largest is how long one event may be. An answer with all of its sources has a tenth of it. */
export const largest = 2_000_000;

/** Events takes a stream apart. */
export class Events {
  private rest = "";
  private data: string[] = [];
  private name = "";
  private size = 0;

  /** push takes more of the stream and returns the events that ended in it. */
  push(chunk: string): ServerEvent[] {
    this.rest += chunk;
    const out: ServerEvent[] = [];
    for (;;) {
      const found = /\r\n|\n|\r/.exec(this.rest);
      // A carriage return at the very end may be half of a line's end.
      if (!found || (found[0] === "\r" && found.index === this.rest.length - 1)) break;
      const line = this.rest.slice(0, found.index);
      this.rest = this.rest.slice(found.index + found[0].length);
      this.line(line, out);
    }
    if (this.rest.length > largest) throw new Error("the answer is too long");
    return out;
  }

  private line(line: string, out: ServerEvent[]) {
    if (line === "") {
      if (this.data.length > 0) out.push({ name: this.name || "message", data: this.data.join("\n") });
      this.data = [];
      this.name = "";
      this.size = 0;
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment, which keeps the connection open
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") this.name = value;
    if (field !== "data") return;
    this.size += value.length;
    if (this.size > largest) throw new Error("the answer is too long");
    this.data.push(value);
  }
}
