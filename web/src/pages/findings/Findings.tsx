// Every weakness that was found: a list of any length that is narrowed, sorted and grouped, and one finding beside it.
import "./findings.css";

import { Button } from "@mantine/core";
import { useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { $api } from "../../api/client";
import { useMay, useMe } from "../../api/session";
import { count } from "../../ui/numbers";
import { Empty, Failure, Loading } from "../../ui/states";
import { Page } from "../../ui/page";
import { Bar } from "./Bar";
import type { Filter } from "./fields";
import { useKeys } from "./keys";
import type { Act, Target } from "./kinds";
import { expect, useReader, type Row } from "./reader";
import { asked, counted, read, sure, write, type Chosen, type Grouping } from "./search";
import { useSelection } from "./selection";
import { Table, type Hands, type TableRef } from "./Table";

const Panel = lazy(() => import("./Panel").then((m) => ({ default: m.Panel })));
const Bulk = lazy(() => import("./Bulk").then((m) => ({ default: m.Bulk })));
const Groups = lazy(() => import("./Groups").then((m) => ({ default: m.Groups })));
const Menus = lazy(() => import("./Menus").then((m) => ({ default: m.Menus })));
const Forms = lazy(() => import("./Forms").then((m) => ({ default: m.Forms })));

/** useChosen is what stands in the address, and how to change it. */
function useChosen() {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const text = JSON.stringify(search);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the text says all of it
  const chosen = useMemo(() => read(search), [text]);
  const now = useRef(chosen);
  now.current = chosen;
  const choose = useCallback((change: Partial<Chosen>, replace = false) => {
    now.current = { ...now.current, ...change };
    if ((change.filter || change.sort) && !now.current.group) expect(now.current.filter, now.current.sort);
    void navigate({ to: "/findings", search: write(now.current), replace });
  }, [navigate]);
  const narrow = useCallback((change: Partial<Filter>) => choose({ filter: clean({ ...now.current.filter, ...change }) }), [choose]);
  return { chosen, choose, narrow };
}

const clean = (f: Filter): Filter => Object.fromEntries(Object.entries(f).filter(([, v]) => v !== undefined));

function useCounts(filter: Filter) {
  return $api.useQuery("get", "/api/v1/findings/counts", { params: { query: counted(filter) } }, { placeholderData: (old) => old, refetchInterval: 60_000 });
}

/** Findings is the page. */
export function Findings() {
  const { chosen, choose, narrow } = useChosen();
  const { filter, sort, group, open } = chosen;
  const may = useMay("analyst");
  const me = useMe();
  const [hidden, setHidden] = useLocalStorage<string[]>({ key: "patchscout-findings-hidden", defaultValue: [], getInitialValueInEffect: false });
  const list = useReader(filter, sort);
  const counts = useCounts(filter);
  const table = useRef<TableRef>(null);
  const selection = useSelection(list.reader);
  const [at, setAt] = useState<number | null>(null);
  const [form, setForm] = useState<{ what: Act; target: Target } | null>(null);
  const covered = useMediaQuery("(max-width: 1100px)", false, { getInitialValueInEffect: false }) && open !== null;

  useEffect(() => setAt(null), [list.reader]);
  // What was counted is not what is listed any more: something came in, or went.
  const { reader } = list;
  const listed = filter.potential || filter.confirmed === false || !sure(filter) ? counts.data?.total : counts.data?.confirmed;
  useEffect(() => {
    if (!counts.isPlaceholderData && listed !== undefined && reader.book.total !== null && listed !== reader.book.total) reader.renew();
  }, [counts.isPlaceholderData, listed, reader]);

  const go = useCallback((index: number) => {
    setAt(index);
    table.current?.reveal(index);
  }, []);
  const hands = useMemo<Hands>(() => ({
    go,
    open: (row: Row, index: number) => { setAt(index); choose({ open: row.id }, now(open)); },
    select: selection.toggle,
    selectAll: selection.toggleAll,
    sort: (s) => choose({ sort: s }),
  }), [go, choose, open, selection.toggle, selection.toggleAll]);
  const place = at ?? (open !== null ? list.shown.book.place(open) : null);
  const current = place !== null ? list.shown.book.row(place) : undefined;
  const start = useCallback((what: Act, target: Target) => {
    if ((what === "confirmed" || what === "none") && "rows" in target) void import("./act").then(({ act }) => act({ do: "triage", state: what }, target)).then((did) => did && selection.clear());
    else setForm({ what, target });
  }, [selection]);
  const target = (): Target => (selection.all ? { filter: asked(filter), total: selection.size } : { rows: selection.size > 0 ? selection.rows() : current ? [current] : [] });
  const step = (by: number) => stepTo(by, place, list.shown, go, choose);
  const show = (id: number | null) => {
    choose({ open: id }, open !== null && id !== null);
    if (id === null) table.current?.focus();
  };
  useKeys({ at: place, reader: list.shown, open, go, step, show, current, selection, table, may, off: group !== null, act: (what) => start(what, target()), undo: () => void import("./act").then((m) => m.undoLast()) });

  const total = list.shown.book.total;
  const clear = useCallback(() => choose({ filter: {}, open: null }), [choose]);
  return (
    <Page
      title="Findings" wide about={<Counts counts={counts.data} filter={filter} total={list.late ? undefined : total ?? undefined} narrow={narrow} />}
      actions={<Suspense fallback={<div style={{ height: 36 }} />}><Menus chosen={chosen} choose={choose} hidden={hidden} setHidden={setHidden} me={me} /></Suspense>}
    >
      <div className="fi-page">
        <Bar filter={filter} change={narrow} clear={clear} />
        <NotShown filter={filter} counts={counts.data} narrow={narrow} />
        <div className="fi-body" data-open={open !== null || undefined}>
          <section className="fi-list" aria-label="Findings" inert={covered || undefined}>
            <h2 className="sr">The list</h2>
            {group ? (
              <Suspense fallback={<Loading rows={10} />}>
                <Groups by={group} filter={asked(filter)} into={(key, by) => choose({ group: null, filter: { ...filter, ...keyed(by, key) } })} />
              </Suspense>
            ) : total === null && list.reader.error ? (
              <Failure error={list.reader.error} what="the findings" retry={() => list.reader.renew()} />
            ) : total === 0 ? (
              <Nothing filter={filter} clear={clear} narrow={narrow} potential={counts.data ? counts.data.total - counts.data.confirmed : 0} />
            ) : (
              <Table ref={table} reader={list.shown} late={list.late} sort={sort} hidden={hidden} hands={hands} may={may} marked={{ at: place, open, selected: selection.ids, all: selection.all }} />
            )}
            {total !== null && list.shown.error !== null && (
              <p className="fi-trouble" role="alert">Some rows did not come. <Button variant="subtle" size="compact-sm" onClick={() => list.shown.renew()}>Try again</Button></p>
            )}
          </section>
          {open !== null && (
            <Suspense fallback={<aside className="fi-panel" aria-label="Finding"><Loading rows={12} /></aside>}>
              <Panel key="panel" id={open} row={current?.id === open ? current : undefined} covering={covered} act={start} close={() => show(null)} step={group ? undefined : step} />
            </Suspense>
          )}
        </div>
        {selection.size > 0 && !group && (
          <Suspense><Bulk selection={selection} act={(what) => start(what, target())} /></Suspense>
        )}
        {form && (
          <Suspense>
            <Forms what={form.what} target={form.target} close={() => { setForm(null); table.current?.focus(); }} finish={() => { setForm(null); selection.clear(); table.current?.focus(); }} />
          </Suspense>
        )}
      </div>
    </Page>
  );
}

// Moving from finding to finding in the panel is not a step back in the browser's history; opening it is.
const now = (open: number | null) => open !== null;

/** stepTo opens the finding after or before the one that is open. */
function stepTo(by: number, at: number | null, reader: { book: { total: number | null; row: (i: number) => Row | undefined } }, go: (i: number) => void, choose: (c: Partial<Chosen>, replace?: boolean) => void) {
  const next = Math.min(Math.max((at ?? -1) + by, 0), (reader.book.total ?? 1) - 1);
  go(next);
  const row = reader.book.row(next);
  if (row) choose({ open: row.id }, true);
}

/** keyed is the filter that shows what a group holds. */
function keyed(by: Grouping, key: string | null): Partial<Filter> {
  if (key === null) return by === "owner" || by === "assignee" ? { [by]: "nobody" } : {};
  return { [by]: key };
}

function Counts({ counts, filter, total, narrow }: { counts?: { total: number; confirmed: number; kev: number; by_decision: Record<string, number> }; filter: Filter; total?: number; narrow: (f: Partial<Filter>) => void }) {
  if (!counts) return <span>Counting …</span>;
  const n = total ?? (sure(filter) || filter.confirmed ? counts.confirmed : counts.total);
  const act = counts.by_decision.act ?? 0;
  const link = (words: string, change: Partial<Filter>) => <button type="button" className="fi-link" onClick={() => narrow(change)}>{words}</button>;
  return (
    <span role="status" className="num">
      {count(n, "finding")}
      {act > 0 && !filter.potential && <>, {link(`${act.toLocaleString()} act now`, { decision: ["act"] })}</>}
      {counts.kev > 0 && !filter.potential && <>, {link(`${counts.kev.toLocaleString()} known to be exploited`, { kev: true })}</>}
    </span>
  );
}

// What the list leaves out is said, with its number and the way to it.
function NotShown({ filter, counts, narrow }: { filter: Filter; counts?: { total: number; confirmed: number }; narrow: (f: Partial<Filter>) => void }) {
  const potential = counts ? counts.total - counts.confirmed : 0;
  if (filter.potential)
    return <p className="fi-note">Only potential findings: less sure than 70 %, or it is not known whether a condition holds. <button type="button" className="fi-link" onClick={() => narrow({ potential: undefined })}>Show the confirmed ones</button></p>;
  if (!sure(filter) || potential === 0) return null;
  return (
    <p className="fi-note">
      {count(potential, "potential finding")} {potential === 1 ? "is" : "are"} not shown, because {potential === 1 ? "it is" : "they are"} not confirmed.{" "}
      <button type="button" className="fi-link" onClick={() => narrow({ confirmed: false })}>Show all</button>
      <button type="button" className="fi-link" onClick={() => narrow({ potential: true })}>Show only those</button>
    </p>
  );
}

function Nothing({ filter, clear, narrow, potential }: { filter: Filter; clear: () => void; narrow: (f: Partial<Filter>) => void; potential: number }) {
  const may = useMay("analyst");
  if (Object.keys(filter).length > 0)
    return (
      <Empty title="No finding fits these filters" action={<div style={{ display: "flex", gap: 8 }}><Button variant="default" onClick={clear}>Clear all filters</Button>{filter.state === undefined && <Button variant="subtle" onClick={() => narrow({ state: "all", hidden: true })}>Look among closed and set aside, too</Button>}</div>}>
        Open findings are listed, without what was set aside. Take a filter off, or look wider.
      </Empty>
    );
  if (potential > 0) return <Empty title="Nothing is confirmed" action={<Button variant="default" onClick={() => narrow({ potential: true })}>Show the potential ones</Button>}>{count(potential, "finding")} may be true, but no scanner was sure.</Empty>;
  return (
    <Empty title="No findings yet" action={may && <div style={{ display: "flex", gap: 8 }}><Button component={Link} to="/scans" search={{ start: true } as never}>Start a scan</Button><Button component={Link} to="/import" variant="default">Import a report</Button></div>}>
      Nothing that was looked at has an open weakness. Scan your network, or import the report of another scanner.
    </Empty>
  );
}
