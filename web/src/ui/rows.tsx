// Long lists: real tables of which only the lines in sight are drawn, walked with J and K, and read on as they are scrolled.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

import { lettersOn } from "./letters";
import "./rows.css";

export type Column<T> = {
  key: string;
  name: string;
  /** width of the column, "120px"; one without takes what is left. */
  width?: string;
  right?: boolean;
  /** away below this width of the window: small is a phone, middle a tablet. */
  away?: "small" | "middle" | "large";
  /** sort is the word of the address by which this column sorts. */
  sort?: string;
  cell: (row: T) => ReactNode;
};

type Picked = { has: (id: string | number) => boolean; toggle: (id: string | number, range: (string | number)[]) => void; all: boolean; toggleAll: () => void; name: (id: string | number) => string };

type Props<T> = {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string | number;
  open?: (row: T) => void;
  total?: number | null;
  /** busy: these are old lines, new ones are on their way. */
  busy?: boolean;
  more?: { has: boolean; loading: boolean; load: () => void };
  picked?: Picked;
  sort?: { now: string; set: (word: string) => void };
  height?: number;
};

/** Rows is a table that may be as long as it wants. Its first column holds the link that opens the line. */
export function Rows<T>({ label, rows, columns, id, open, total, busy, more, picked, sort, height = 40 }: Props<T>) {
  const table = useRef<HTMLTableElement>(null);
  const [margin, setMargin] = useState(0);
  const [at, setAt] = useState(-1);
  useLayoutEffect(() => {
    const top = table.current ? Math.round(table.current.getBoundingClientRect().top + window.scrollY) : 0;
    if (Math.abs(top - margin) > 1) setMargin(top);
  });
  const lines = useWindowVirtualizer({ count: rows.length, estimateSize: () => height, overscan: 12, scrollMargin: margin, getItemKey: (i) => id(rows[i]!), useFlushSync: false });
  const seen = lines.getVirtualItems();
  const last = seen[seen.length - 1]?.index ?? 0;
  useEffect(() => {
    if (more?.has && !more.loading && last >= rows.length - 40) more.load();
  }, [last, rows.length, more]);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    lines.scrollToIndex(next, { align: "auto" });
    requestAnimationFrame(() => table.current?.querySelector<HTMLElement>(`tr[data-index="${next}"] a, tr[data-index="${next}"] button`)?.focus({ preventScroll: true }));
  };
  useLineKeys({ at, go, pick: picked && rows[at] ? () => picked.toggle(id(rows[at]!), [id(rows[at]!)]) : undefined });
  const before = seen[0] ? seen[0].start - margin : 0;
  const after = seen.length > 0 ? lines.getTotalSize() - (seen[seen.length - 1]!.end - margin) : 0;
  const from = useRef(-1);
  const pick = (i: number, shift: boolean) => {
    const start = shift && from.current >= 0 ? from.current : i;
    from.current = i;
    picked?.toggle(id(rows[i]!), rows.slice(Math.min(start, i), Math.max(start, i) + 1).map(id));
  };
  return (
    <table ref={table} className="table rows" aria-label={label} aria-rowcount={total === null ? -1 : (total ?? rows.length) + 1} aria-busy={busy || undefined}>
      <Head columns={columns} sort={sort} picked={picked} />
      <tbody data-busy={busy || undefined}>
        <Space height={before} />
        {seen.map((line) => {
          const row = rows[line.index]!;
          return (
            <tr
              key={line.key} ref={lines.measureElement} data-index={line.index} data-at={at === line.index || undefined} data-picked={picked?.has(id(row)) || undefined} aria-rowindex={line.index + 2}
              onFocus={() => setAt(line.index)} onClick={open && ((e) => { if (!busyWith(e.target as HTMLElement)) open(row); })} style={open && { cursor: "pointer" }}
            >
              {picked && (
                <td className="rows-pick">
                  <label>
                    <span className="sr">{picked.name(id(row))}</span>
                    <input type="checkbox" checked={picked.has(id(row))} onChange={() => undefined} onClick={(e) => pick(line.index, e.shiftKey)} />
                  </label>
                </td>
              )}
              {columns.map((c) => <td key={c.key} className={classOf(c)}>{c.cell(row)}</td>)}
            </tr>
          );
        })}
        <Space height={after} />
      </tbody>
    </table>
  );
}

const classOf = (c: { right?: boolean; away?: string }) => [c.right && "right", c.away && "away-" + c.away].filter(Boolean).join(" ") || undefined;

// A click on a link, a button or a marked text means that, not the line.
const busyWith = (at: HTMLElement) => at.closest("a, button, input, label, summary") !== null || (window.getSelection()?.toString() ?? "") !== "";

// One cell only: one that spans all columns would bring those back that are away.
function Space({ height }: { height: number }) {
  if (height <= 0) return null;
  return <tr aria-hidden="true" className="rows-space" style={{ height }}><td /></tr>;
}

function Head<T>({ columns, sort, picked }: Pick<Props<T>, "columns" | "sort" | "picked">) {
  return (
    <thead>
      <tr aria-rowindex={1}>
        {picked && (
          <th scope="col" className="rows-pick">
            <label><span className="sr">Select all lines that are loaded</span><input type="checkbox" checked={picked.all} onChange={picked.toggleAll} /></label>
          </th>
        )}
        {columns.map((c) => (
          <th key={c.key} scope="col" className={classOf(c)} style={c.width ? { width: c.width } : undefined} aria-sort={c.sort && sort?.now === c.sort ? "descending" : undefined}>
            {c.sort && sort ? <button type="button" className="rows-sort" data-on={sort.now === c.sort || undefined} onClick={() => sort.set(c.sort!)}>{c.name}<span aria-hidden="true">{sort.now === c.sort ? " ↓" : ""}</span></button> : c.name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** useLineKeys: J and K walk, X selects, / goes to the filter. Enter opens by itself: the line's link has the focus. */
function useLineKeys(keys: { at: number; go: (to: number) => void; pick?: () => void }) {
  const now = useRef(keys);
  useEffect(() => {
    now.current = keys;
  });
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const on = e.target as HTMLElement;
      if (!lettersOn() || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || on.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName) && (on as HTMLInputElement).type !== "checkbox")) return;
      if (document.querySelector("[aria-modal=true]")) return;
      const { at, go, pick } = now.current;
      if (e.key === "j") go(at + 1);
      else if (e.key === "k") go(at - 1);
      else if (e.key === "x" && pick) pick();
      else if (e.key === "/") document.querySelector<HTMLElement>("[data-filter]")?.focus();
      else return;
      e.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
