// Gets the rows that are looked at, and a little around them, and stops getting those that were scrolled by.
import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";

import { api, Problem, queries, type Schema } from "../../api/client";
import { Book, pageRows, type Ask } from "./book";
import type { Filter } from "./fields";
import { asked, keyOf, sortOf, type Sort } from "./search";

export type Row = Schema<"Finding">;

const pause = 50; // ms between questions while the scroll bar is dragged: what is passed by is not asked for
const fresh = 3000; // ms for which rows are good when one comes back to them
const again = 4000; // ms after which rows that did not come are asked for again

const mostMarks = 10_000; // places of a list that are reached with one small question; they are asked for behind the rows
const calm = 250; // ms after the first rows, for what is not seen

type Busy = { ask: Ask; stop: AbortController };

export class Reader {
  readonly book = new Book<Row>();
  error: unknown = null;
  private version = 0;
  private listeners = new Set<() => void>();
  private busy = new Set<Busy>();
  private want = { from: 0, to: 40 };
  private last = 0;
  private got = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private marking = false;
  private query: Filter & { sort?: string };

  constructor(filter: Filter, sort: Sort) {
    this.query = { ...asked(filter), sort: sortOf(sort) };
  }

  subscribe = (fn: () => void) => {
    this.listeners.add(fn);
    this.pump();
    return () => {
      this.listeners.delete(fn);
      if (this.listeners.size === 0) this.stop(() => true);
    };
  };

  seen = () => this.version;

  /** begin asks for the first rows before anybody looks: the page is drawn while they come. */
  begin() {
    if (this.book.total === null && this.busy.size === 0) void this.get({ page: 0, pages: 1, cursor: null });
  }

  /** look says which rows are looked at. */
  look(from: number, to: number) {
    if (this.want.from === from && this.want.to === to) return;
    this.want = { from, to };
    this.pump();
  }

  /** renew asks for everything again; what is there stays until the new is. */
  renew() {
    this.book.age();
    this.marking = false;
    this.error = null;
    this.pump();
  }

  /** refresh renews what has not just come. */
  refresh() {
    if (Date.now() - this.got > fresh) this.renew();
  }

  /** load gets rows that are not looked at. */
  async load(from: number, to: number) {
    for (let ask = this.book.asks(from, to)[0]; ask; ask = this.book.asks(from, to)[0]) {
      const data = await this.list(ask, new AbortController().signal);
      this.book.keep(ask, { rows: data.findings, next: data.next, total: data.total }, ask.page);
    }
    this.told();
  }

  /** told says that rows were changed from outside. */
  told() {
    this.version++;
    this.listeners.forEach((fn) => fn());
  }

  private pump = () => {
    if (this.listeners.size === 0) return;
    const { from, to } = this.want;
    const wait = this.last + pause - Date.now();
    clearTimeout(this.timer);
    if (wait > 0) {
      this.timer = setTimeout(this.pump, wait);
      return;
    }
    this.stop(({ page, pages }) => (page + pages) * pageRows < from - 2 * pageRows || page * pageRows > to + 3 * pageRows);
    const asks = this.book.asks(from, to);
    if (asks.length === 0) asks.push(...this.book.asks(from - pageRows, to + 2 * pageRows));
    for (const ask of asks) {
      if (this.busy.size >= 3) break;
      if ([...this.busy].some((b) => b.ask.page <= ask.page && ask.page < b.ask.page + b.ask.pages)) continue;
      void this.get(ask);
    }
  };

  private stop(which: (ask: Ask) => boolean) {
    for (const b of this.busy)
      if (which(b.ask)) {
        this.busy.delete(b);
        b.stop.abort();
      }
  }

  private async get(ask: Ask) {
    const busy = { ask, stop: new AbortController() };
    this.busy.add(busy);
    this.last = Date.now();
    try {
      const data = await this.list(ask, busy.stop.signal);
      if (!this.busy.delete(busy)) return;
      this.error = null;
      this.got = Date.now();
      this.book.keep(ask, { rows: data.findings, next: data.next, total: data.total }, Math.floor(this.want.from / pageRows));
      this.told();
      void this.mark();
      this.pump();
    } catch (error) {
      if (!this.busy.delete(busy)) return;
      this.error = error;
      this.told();
      if (!(error instanceof Problem) || error.offline || error.status >= 500) this.timer = setTimeout(this.pump, again);
    }
  }

  private list(ask: Ask, signal: AbortSignal): Promise<Schema<"FindingList">> {
    const query = { ...this.query, cursor: ask.cursor ?? undefined, limit: ask.pages * pageRows };
    return queries.fetchQuery({
      queryKey: ["findings", "page", query],
      queryFn: async () => (await api.GET("/api/v1/findings", { params: { query }, signal })).data!,
      retry: false,
      staleTime: 0,
      gcTime: 0,
    });
  }

  // The marks make every place of a long list reachable with one question.
  private async mark() {
    if (this.marking || !this.book.far) return;
    this.marking = true;
    const total = this.book.total ?? 0;
    const every = Math.min(Math.max(Math.ceil(total / mostMarks / pageRows) * pageRows, pageRows), 1000);
    const query = { ...this.query, every };
    await new Promise((ready) => setTimeout(ready, calm));
    if (this.listeners.size === 0) {
      this.marking = false;
      return;
    }
    try {
      this.book.know(await queries.fetchQuery({
        queryKey: ["findings", "marks", query],
        queryFn: async () => (await api.GET("/api/v1/findings/marks", { params: { query } })).data!,
        staleTime: 0,
        gcTime: 0,
      }));
      this.pump();
    } catch {
      this.marking = false; // without marks every place can be walked to
    }
  }
}

const place = ["findings", "rows"];

// The readers are kept with the answers of the server: who signs out takes them along, and coming back finds them.
function readerOf(filter: Filter, sort: Sort): Reader {
  const key = [...place, keyOf(filter, sort)];
  const known = queries.getQueryData<Reader>(key);
  if (known) return known;
  const reader = new Reader(filter, sort);
  queries.setQueryData(key, reader);
  return reader;
}

const readers = () => queries.getQueriesData<Reader>({ queryKey: place }).flatMap(([, r]) => (r ? [r] : []));

/** expect begins to get the rows of a list that is about to be shown. */
export const expect = (filter: Filter, sort: Sort) => readerOf(filter, sort).begin();

/** changeRows shows rows of all lists as fn makes them. */
export function changeRows(ids: ReadonlySet<number> | null, fn: (row: Row) => Row) {
  for (const reader of readers()) {
    reader.book.change(ids, fn);
    reader.told();
  }
}

/** renewRows asks for all lists again. */
export const renewRows = () => readers().forEach((r) => r.renew());

/** useReader is the list of a filter. Until its first rows are there, shown is the one before: nothing flickers. */
export function useReader(filter: Filter, sort: Sort): { reader: Reader; shown: Reader; late: boolean } {
  const key = keyOf(filter, sort);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says all of the filter and the order
  const reader = useMemo(() => readerOf(filter, sort), [key]);
  useSyncExternalStore(reader.subscribe, reader.seen);
  useEffect(() => reader.refresh(), [reader]);
  const before = useRef(reader);
  const there = reader.book.total !== null || reader.error !== null;
  if (there) before.current = reader;
  return { reader, shown: there ? reader : before.current, late: !there };
}
