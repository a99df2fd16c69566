// Which findings are selected: some, by their ids, or all that the filter lets through.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { Reader, Row } from "./reader";

const mostRange = 5000; // rows between two ends; more is what "all of this list" is for

export type Selection = {
  ids: ReadonlySet<number>;
  all: boolean;
  size: number;
  rows: () => Row[];
  toggle: (row: Row, index: number, range: boolean) => void;
  toggleAll: () => void;
  clear: () => void;
};

type Chosen = { rows: ReadonlyMap<number, Row>; all: boolean };

const nothing: Chosen = { rows: new Map(), all: false };

/** useSelection is what is selected in a list; another list begins with nothing. */
export function useSelection(reader: Reader): Selection {
  const [chosen, setChosen] = useState(nothing);
  const anchor = useRef<number | null>(null);
  const clear = useCallback(() => {
    anchor.current = null;
    setChosen(nothing);
  }, []);
  useEffect(clear, [reader, clear]);
  const toggle = useCallback((row: Row, index: number, range: boolean) => {
    const from = anchor.current;
    anchor.current = index;
    if (!range || from === null) {
      setChosen((old) => {
        if (old.all) return { rows: new Map([[row.id, row]]), all: false };
        const rows = new Map(old.rows);
        if (!rows.delete(row.id)) rows.set(row.id, row);
        return { rows, all: false };
      });
      return;
    }
    const [first, last] = [Math.min(from, index), Math.min(Math.max(from, index), Math.min(from, index) + mostRange)];
    void reader.load(first, last).then(() =>
      setChosen((old) => {
        const rows = new Map(old.all ? [] : old.rows);
        for (let i = first; i <= last; i++) {
          const r = reader.book.row(i);
          if (r) rows.set(r.id, r);
        }
        return { rows, all: false };
      }),
    );
  }, [reader]);
  const toggleAll = useCallback(() => setChosen((old) => (old.all ? nothing : { rows: new Map(), all: true })), []);
  return useMemo(() => ({
    ids: new Set(chosen.rows.keys()),
    all: chosen.all,
    size: chosen.all ? (reader.book.total ?? 0) : chosen.rows.size,
    // as they are now, not as they were when they were selected: that is what an undo gives back
    rows: () => [...chosen.rows.values()].map((r) => reader.book.find(r.id) ?? r),
    toggle, toggleAll, clear,
  }), [chosen, reader, toggle, toggleAll, clear]);
}
