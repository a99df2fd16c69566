// What the shapes, colours and lines of the map mean, in words.
import type { ReactNode } from "react";

import { dashes } from "./ground";

const Mark = ({ children }: { children: ReactNode }) => <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">{children}</svg>;
const Dash = ({ known, way }: { known: keyof typeof dashes; way?: boolean }) => <svg width="26" height="8" aria-hidden="true"><path d="M0 4H26" className={way ? "pm-way" : "pm-line"} strokeDasharray={dashes[known].join(" ") || undefined} /></svg>;

export function Legend() {
  return (
    <ul className="pm-legend" aria-label="What the map shows">
      <li><Mark><path d="M5 1.5 14 7 5 12.5z" className="pm-entry" /></Mark>where the attacker begins</li>
      <li><Mark><circle cx="5" cy="7" r="4" className="pm-falls" data-much /><circle cx="14" cy="7" r="3.5" className="pm-falls" /></Mark>a host that falls: the fuller, the likelier</li>
      <li><Mark><circle cx="9" cy="7" r="4" className="pm-still" /></Mark>not reached</li>
      <li><Mark><rect x="4.5" y="2.5" width="9" height="9" className="pm-still" /></Mark>hosts that are alike, as one</li>
      <li><Mark><path d="M9 1 15 7 9 13 3 7z" className="pm-jewel" /></Mark>jewel</li>
      <li><Dash known="observed" way />best way to a jewel</li>
      <li><Dash known="observed" />other way between sites: seen</li>
      <li><Dash known="policy" />declared</li>
      <li><Dash known="assumed" />assumed</li>
    </ul>
  );
}
