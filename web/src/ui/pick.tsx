// Words to choose some of, each on or off.
import type { ReactNode } from "react";

import "./rows.css";

/** Pick is one word that is on or off. */
export function Pick({ on, set, title, children }: { on: boolean; set: (on: boolean) => void; title?: string; children: ReactNode }) {
  return <button type="button" className="pick" aria-pressed={on} title={title} onClick={() => set(!on)}>{children}</button>;
}

/** Picks are words of which any number is on. */
export function Picks<T extends string>({ label, words, on, set }: { label: string; words: readonly (readonly [T, ReactNode])[]; on: readonly T[]; set: (on: T[]) => void }) {
  return (
    <div className="picks" role="group" aria-label={label}>
      {words.map(([word, name]) => (
        <Pick key={word} on={on.includes(word)} set={(yes) => set(words.map(([w]) => w).filter((w) => (w === word ? yes : on.includes(w))))}>{name}</Pick>
      ))}
    </div>
  );
}
