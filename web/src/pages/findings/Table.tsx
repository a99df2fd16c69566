// A table of any length. What is seen is drawn and nothing else, in a frame that stands still while the list behind it is
// scrolled: there is never a moment without rows.
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { flexRender, useTable } from "@tanstack/react-table";
import { memo, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type MouseEvent, type Ref } from "react";

import { columns, features, heads, Lines, nameOf, type Slot } from "./columns";
import { fit, ranked, track, twoLines, widths, type Width } from "./layout";
import type { Reader, Row } from "./reader";
import { astray, heightOf, moved, seen, shown, topOf, type Shape, type Spot } from "./scroll";
import { ascends, type Sort } from "./search";

/** Marks are what is marked in the table: the row where one is, and those that are selected. */
export type Marked = { at: number | null; open: number | null; selected: ReadonlySet<number>; all: boolean };

export type Hands = {
  go: (index: number) => void;
  open: (row: Row, index: number) => void;
  select: (row: Row, index: number, range: boolean) => void;
  selectAll: () => void;
  sort: (sort: Sort) => void;
};

export type TableRef = { reveal: (index: number) => void; focus: () => void; page: () => number };

type Props = { reader: Reader; late: boolean; sort: Sort; hidden: readonly string[]; marked: Marked; hands: Hands; may: boolean; ref?: Ref<TableRef> };

const headHeight = 34;

/** Table shows the rows of a reader. */
export function Table({ reader, late, sort, hidden, marked, hands, may, ref }: Props) {
  const { ref: measured, width, height } = useElementSize<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const letters = useMemo(() => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1, [width]); // wide screens have larger ones
  const narrow = width > 0 && width < twoLines * letters;
  const total = reader.book.total ?? 0;
  const shape: Shape = { rows: total, row: narrow ? 62 : 36, view: Math.max(0, height - (narrow ? 0 : headHeight)) };
  const { spot, onScroll, reveal } = useSpot(scroller, shape, reader);
  const { first, last, above } = seen(spot.at, shape);
  useEffect(() => {
    if (shape.view > 0) reader.look(first, Math.max(last, first + Math.ceil(shape.view / shape.row)));
  }, [reader, first, last, shape.view, shape.row]);
  useImperativeHandle(ref, () => ({ reveal, focus: () => grid.current?.focus({ preventScroll: true }), page: () => Math.max(1, Math.floor(shape.view / shape.row) - 1) }), [reveal, shape.view, shape.row]);

  const fitting = useMemo(() => fit(width / letters, may ? hidden : [...hidden, "select"], sort.by === "risk_removed" ? ranked : widths).filter((w) => may || w.id !== "select"), [width, letters, hidden, may, sort.by]);
  const slots = useMemo<Slot[]>(
    () => Array.from({ length: total === 0 ? 0 : last - first + 1 }, (_, i) => ({ index: first + i, row: reader.book.row(first + i) })),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the reader's version says when its rows are others
    [reader, reader.seen(), first, last, total],
  );
  const columnVisibility = useMemo(() => Object.fromEntries(columns.map((c) => [c.id!, fitting.some((w) => w.id === c.id)])), [fitting]);
  const table = useTable({ features, columns, data: slots, state: { columnVisibility }, getRowId: (slot) => String(slot.index) });
  const active = marked.at !== null && marked.at >= first && marked.at <= last ? `finding-row-${marked.at}` : undefined;
  return (
    <div className="fi-scroll" ref={useMergedRef(measured, scroller)} onScroll={onScroll}>
      <div style={{ height: heightOf(shape) + (narrow ? 0 : headHeight) }} role="presentation">
        <div
          ref={grid} className="fi-grid" style={{ height, ["--fi-track" as string]: narrow ? (may ? "36px minmax(0, 1fr)" : "minmax(0, 1fr)") : track(fitting), ["--fi-row" as string]: `${shape.row}px` }}
          role="grid" tabIndex={0} aria-label="Findings" aria-rowcount={total + 1} aria-colcount={narrow ? (may ? 2 : 1) : fitting.length} aria-multiselectable={may} aria-activedescendant={active} aria-busy={late} data-late={late || undefined} data-state={fitting.some((w) => w.id === "triage") || undefined}
        >
          <Head columns={fitting} sort={sort} all={marked.all} hands={hands} narrow={narrow} may={may} />
          <div className="fi-rows" role="rowgroup" style={{ transform: `translateY(${-above}px)` }}>
            {table.getRowModel().rows.map((r) => (
              <Line
                key={r.id} slot={r.original} cells={r} narrow={narrow} may={may} hands={hands} look={fitting}
                active={r.original.index === marked.at} open={r.original.row?.id === marked.open && marked.open !== null}
                selected={marked.all || (r.original.row !== undefined && marked.selected.has(r.original.row.id))}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

type Model = ReturnType<ReturnType<typeof useTable<typeof features, Slot>>["getRowModel"]>["rows"][number];
type LineProps = { slot: Slot; cells: Model; narrow: boolean; may: boolean; hands: Hands; look: readonly Width[]; active: boolean; open: boolean; selected: boolean };

const same = (a: LineProps, b: LineProps) =>
  a.slot.row === b.slot.row && a.slot.index === b.slot.index && a.narrow === b.narrow && a.may === b.may && a.hands === b.hands && a.look === b.look && a.active === b.active && a.open === b.open && a.selected === b.selected;

const Line = memo(function Line({ slot: { row, index }, cells, narrow, may, hands, active, open, selected }: LineProps) {
  const own = { role: "row", id: `finding-row-${index}`, "aria-rowindex": index + 2, className: "fi-row", "data-active": active || undefined, "data-open": open || undefined } as const;
  if (!row)
    return (
      <div {...own} aria-label="Loading">
        <div role="gridcell" className="fi-wait" style={{ gridColumn: "1 / -1" }}><span style={{ width: `${30 + ((index * 37) % 40)}%` }} /></div>
      </div>
    );
  const click = (e: MouseEvent) => {
    if ((e.target as HTMLElement).closest("a")) {
      if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
      e.preventDefault();
    }
    if (getSelection()?.type === "Range") return;
    hands.open(row, index);
  };
  const aside = row.triage !== "none" && row.triage !== "confirmed";
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid hears the keys
    <div {...own} aria-selected={may ? selected : undefined} onClick={click} data-aside={aside || row.state === "closed" || row.state === "fixed" || undefined}>
      {may && (
        <div role="gridcell" className="fi-pick" onClick={(e) => { e.stopPropagation(); hands.select(row, index, e.shiftKey); }}>
          <input type="checkbox" tabIndex={-1} checked={selected} readOnly aria-label={`Select ${nameOf(row)}`} />
        </div>
      )}
      {narrow ? (
        <div role="gridcell" className="fi-lines"><Lines row={row} /></div>
      ) : (
        cells.getVisibleCells().map((cell) => (
          <div key={cell.id} role="gridcell" className="fi-cell" data-right={heads[cell.column.id]?.right || undefined}>
            {flexRender(cell.column.columnDef.cell, cell.getContext())}
          </div>
        ))
      )}
    </div>
  );
}, same);

function Head({ columns: shownColumns, sort, all, hands, narrow, may }: { columns: readonly Width[]; sort: Sort; all: boolean; hands: Hands; narrow: boolean; may: boolean }) {
  const pick = (
    <div role="columnheader" className="fi-pick" key="select">
      <input type="checkbox" checked={all} onChange={hands.selectAll} aria-label="Select all findings of this list" title="Select all findings of this list (Ctrl A)" />
    </div>
  );
  return (
    <div role="rowgroup" className={narrow ? "sr" : undefined}>
      <div role="row" aria-rowindex={1} className="fi-head" style={{ height: headHeight }}>
        {narrow ? <>{may && <div role="columnheader">Select</div>}<div role="columnheader">Finding</div></> : shownColumns.map((w) => (w.id === "select" ? pick : <HeadCell key={w.id} id={w.id} sort={sort} onSort={hands.sort} />))}
      </div>
    </div>
  );
}

function HeadCell({ id, sort, onSort }: { id: string; sort: Sort; onSort: (sort: Sort) => void }) {
  const head = heads[id]!;
  const by = head.sort;
  const on = by !== undefined && sort.by === by;
  return (
    <div role="columnheader" className="fi-cell" data-right={head.right || undefined} aria-sort={by === undefined ? undefined : on ? (sort.asc ? "ascending" : "descending") : "none"}>
      {by === undefined ? head.name : (
        <button type="button" title={head.about} onClick={() => onSort(on && by !== "rank" ? { by, asc: !sort.asc } : { by, asc: ascends(by) })} data-on={on || undefined}>
          {head.name}
          <svg width="8" height="8" viewBox="0 0 8 8" aria-hidden="true" style={{ opacity: on ? 1 : 0 }}><path d={sort.asc ? "M4 1 7.5 6.5h-7z" : "M4 7 .5 1.5h7z"} fill="currentColor" /></svg>
        </button>
      )}
    </div>
  );
}

// Where each list was left: going on to another page and back finds the same rows.
const left = new WeakMap<Reader, number>();

function useSpot(scroller: React.RefObject<HTMLDivElement | null>, shape: Shape, reader: Reader) {
  const [spot, setSpot] = useState<Spot>({ top: 0, at: left.get(reader) ?? 0 });
  const now = useRef(spot);
  const size = useRef(shape);
  size.current = shape;
  const idle = useRef<ReturnType<typeof setTimeout>>(undefined);
  const put = useCallback((next: Spot) => {
    now.current = next;
    left.set(reader, next.at);
    setSpot((old) => (old.at === next.at && old.top === next.top ? old : next));
  }, [reader]);
  const place = useCallback((at: number) => {
    const el = scroller.current;
    if (!el) return;
    el.scrollTop = topOf(at, size.current);
    put({ top: el.scrollTop, at });
  }, [put, scroller]);
  // Another list begins at its top, or where it was left; a list that became shorter ends where it ends.
  useLayoutEffect(() => place(left.get(reader) ?? 0), [reader, place]);
  const most = Math.max(0, shape.rows * shape.row - shape.view);
  useLayoutEffect(() => place(Math.min(now.current.at, most)), [most, place]);
  const onScroll = useCallback(() => {
    const el = scroller.current;
    if (!el || el.scrollTop === now.current.top) return;
    put(moved(now.current, el.scrollTop, size.current));
    clearTimeout(idle.current);
    idle.current = setTimeout(() => astray(now.current, size.current) && place(now.current.at), 150);
  }, [place, put, scroller]);
  useEffect(() => () => clearTimeout(idle.current), []);
  const reveal = useCallback((index: number) => {
    const at = shown(index, now.current.at, size.current);
    if (at !== now.current.at) place(at);
  }, [place]);
  return { spot, onScroll, reveal };
}
