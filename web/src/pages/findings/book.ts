// A list of a million rows of which a few pages are at hand. The server gives pages by cursors: a page can be asked for when
// the cursor before it is known, from the page before it or from the marks that it gives for every so many rows. The book
// keeps who is where; it knows no network.

/** pageRows is how many rows a page has: a screen of rows comes in one small answer. */
export const pageRows = 100;

const mostPages = 120; // at hand; the ones farthest from what is looked at go first
const mostAtOnce = 10; // pages of one answer, where the way to a row is walked: 1,000 rows, what the API gives at most

/** Ask is one question to the server: pages from a cursor on. */
export type Ask = { page: number; pages: number; cursor: string | null };

export type Answer<Row> = { rows: Row[]; next: string | null; total: number };

export type Marks = { every: number; marks: (string | null)[]; total: number };

type Page<Row> = { rows: Row[]; old: boolean };

export class Book<Row extends { id: number }> {
  /** total is how many rows the list has; null: not known yet. */
  total: number | null = null;
  private pages = new Map<number, Page<Row>>();
  private cursors = new Map<number, string | null>([[0, null]]);

  /** row is the one at a place, if it is at hand. */
  row(index: number): Row | undefined {
    return this.pages.get(Math.floor(index / pageRows))?.rows[index % pageRows];
  }

  /** fresh says whether everything from..to is at hand and was not changed since. */
  fresh(from: number, to: number): boolean {
    return this.missing(from, to).length === 0;
  }

  /** place is where a row stands, if it is at hand. */
  place(id: number): number | null {
    for (const [page, { rows }] of this.pages) {
      const at = rows.findIndex((r) => r.id === id);
      if (at >= 0) return page * pageRows + at;
    }
    return null;
  }

  /** find is a row by its id, if it is at hand. */
  find(id: number): Row | undefined {
    const at = this.place(id);
    return at === null ? undefined : this.row(at);
  }

  /** asks are the questions by which rows from..to come; those whose way is not known yet are walked to, step by step. */
  asks(from: number, to: number): Ask[] {
    const asks: Ask[] = [];
    for (const page of this.missing(from, to)) {
      const last = asks[asks.length - 1];
      if (last && page < last.page + last.pages) continue;
      const cursor = this.cursors.get(page);
      if (cursor !== undefined) asks.push({ page, pages: 1, cursor });
      else if (last && page === last.page + last.pages && last.pages < mostAtOnce) last.pages++;
      else if (!last) asks.push(this.walk(page));
      else break;
    }
    return asks;
  }

  /** keep takes an answer in. */
  keep(ask: Ask, { rows, next, total }: Answer<Row>, looked = ask.page) {
    const full = rows.length === ask.pages * pageRows;
    this.total = next === null && rows.length > 0 ? ask.page * pageRows + rows.length : total;
    for (let i = 0; i * pageRows < rows.length || i === 0; i++)
      this.pages.set(ask.page + i, { rows: rows.slice(i * pageRows, (i + 1) * pageRows), old: false });
    if (next !== null && full) this.follows(ask.page + ask.pages, next);
    this.cut();
    this.forget(looked);
  }

  /** know takes in the cursors of every so many rows. */
  know({ every, marks }: Marks) {
    if (every % pageRows !== 0) return;
    marks.forEach((cursor, i) => {
      if (i === 0 || cursor !== null) this.cursors.set((i * every) / pageRows, cursor);
    });
  }

  /** far says whether some row cannot be asked for directly, or nearly so. */
  get far(): boolean {
    return this.total !== null && this.total > mostAtOnce * pageRows;
  }

  /** age makes everything old: it is shown until what is asked anew comes. The ways stay, they lead nearly to the same places. */
  age() {
    for (const page of this.pages.values()) page.old = true;
  }

  /** change replaces rows by what fn makes of them, and gives those that there were. */
  change(ids: ReadonlySet<number> | null, fn: (row: Row) => Row): Row[] {
    const before: Row[] = [];
    for (const page of this.pages.values())
      if (page.rows.some((r) => !ids || ids.has(r.id)))
        page.rows = page.rows.map((r) => {
          if (ids && !ids.has(r.id)) return r;
          before.push(r);
          return fn(r);
        });
    return before;
  }

  private missing(from: number, to: number): number[] {
    const last = this.total === null ? 0 : Math.max(0, Math.ceil(this.total / pageRows) - 1);
    const out: number[] = [];
    for (let p = Math.max(0, Math.floor(from / pageRows)); p <= Math.min(last, Math.floor(to / pageRows)); p++) {
      const page = this.pages.get(p);
      if (!page || page.old) out.push(p);
    }
    return out;
  }

  private walk(page: number): Ask {
    let from = page - 1;
    while (!this.cursors.has(from)) from--;
    return { page: from, pages: Math.min(page - from + 1, mostAtOnce), cursor: this.cursors.get(from) ?? null };
  }

  // A page begins elsewhere than it did: rows came or went before it.
  private follows(page: number, cursor: string) {
    const known = this.cursors.get(page);
    const there = this.pages.get(page);
    if (known !== undefined && known !== cursor && there) there.old = true;
    this.cursors.set(page, cursor);
  }

  private cut() {
    const last = Math.ceil((this.total ?? 0) / pageRows);
    for (const page of [...this.pages.keys()]) if (page >= last && page > 0) this.pages.delete(page);
  }

  private forget(looked: number) {
    if (this.pages.size <= mostPages) return;
    const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - looked) - Math.abs(a - looked));
    for (const page of far.slice(0, this.pages.size - mostPages)) this.pages.delete(page);
  }
}
