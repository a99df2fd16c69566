// A chart that costs nothing until it is seen: what draws it loads when it comes near the window. Beside the picture
// there is always a table with the same numbers.
import { Skeleton } from "@mantine/core";
import { useEffect, useRef, useState, type ReactNode } from "react";

import type { Drawing, Shape } from "./chart-draw";
import { useNear } from "./near";

export type { Colours, Shape } from "./chart-draw";

type Props = {
  /** label says what is to be seen, in one sentence, for those who cannot see it. */
  label: string;
  /** shape draws it in the colours of the moment. It is called again when it changes: keep it by useCallback. */
  shape: Shape;
  height?: number;
  /** head and rows are the same numbers as a table. */
  head: string[];
  rows: ReactNode[][];
};

/** Chart draws data and offers them as a table. */
export function Chart({ label, shape, height = 220, head, rows }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const [state, setState] = useState<"waits" | "there" | "broken">("waits");
  const near = useNear(place);
  useEffect(() => {
    if (!near) return;
    let left = false;
    import("./chart-draw").then(
      ({ draw }) => {
        if (left || !place.current) return;
        drawing.current = draw(place.current, shape);
        setState("there");
      },
      () => setState("broken"),
    );
    return () => {
      left = true;
      drawing.current?.end();
      drawing.current = null;
    };
  }, [near]); // eslint-disable-line -- a new shape is drawn below, not begun anew
  useEffect(() => drawing.current?.show(shape), [shape, state]);
  return (
    <figure style={{ margin: 0 }}>
      <div style={{ position: "relative", height }}>
        {state === "waits" && <Skeleton height={height} style={{ position: "absolute", inset: 0 }} />}
        {state === "broken" && <p className="dim" role="status">The chart could not be loaded. The numbers are in the table.</p>}
        <div ref={place} role="img" aria-label={label} style={{ width: "100%", height }} />
      </div>
      <Numbers head={head} rows={rows} />
    </figure>
  );
}

/** Numbers is the chart as a table, made when it is asked for. */
function Numbers({ head, rows }: Pick<Props, "head" | "rows">) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)} style={{ marginTop: 6, fontSize: "0.75rem" }}>
      <summary className="dim" style={{ cursor: "pointer", padding: "3px 0", width: "max-content" }}>As a table</summary>
      {open && (
        <div className="scroll-x" tabIndex={0} role="region" aria-label="The chart as a table" style={{ maxHeight: 320, overflowY: "auto" }}>
          <table className="table">
            <thead><tr>{head.map((h, i) => <th key={h} scope="col" className={i > 0 ? "right" : undefined}>{h}</th>)}</tr></thead>
            <tbody>{rows.map((row, n) => <tr key={n}>{row.map((cell, i) => (i === 0 ? <th key={i} scope="row" style={{ position: "static" }}>{cell}</th> : <td key={i} className="num right">{cell}</td>))}</tr>)}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}
