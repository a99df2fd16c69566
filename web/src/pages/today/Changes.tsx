import { Link } from "@tanstack/react-router";

import type { Schema } from "../../api/client";
import { Panel } from "../../ui/page";
import { When } from "../../ui/when";

type Line = { n: number; one: string; many: string; to: string; search?: Record<string, unknown> };

/** Changes is what happened since one's last visit. What did not change is not listed. */
export function Changes({ today }: { today: Schema<"Today"> }) {
  const { since, changes } = today;
  if (!since || !changes) {
    return <Panel title="Since your last visit" flush><p className="today-quiet dim">This is your first visit. From now on, what changed since the last one stands here.</p></Panel>;
  }
  const lines = linesOf(changes, since.slice(0, 10)).filter((l) => l.n > 0);
  return (
    <Panel title={<>Since your last visit <span className="dim today-when"><When at={since} /></span></>} flush>
      {lines.length === 0 && <p className="today-quiet dim">Nothing changed.</p>}
      {lines.length > 0 && (
        <ul className="today-list">
          {lines.map((l) => (
            <li key={l.one}><Link to={l.to} search={l.search} className="today-change"><span className="num today-change-n">{l.n.toLocaleString()}</span> {l.n === 1 ? l.one : l.many}</Link></li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function linesOf(c: Schema<"Changes">, day: string): Line[] {
  return [
    { n: c.kev, one: "CVE on your hosts became known to be exploited", many: "CVEs on your hosts became known to be exploited", to: "/findings", search: { kev: true } },
    { n: c.new, one: "finding is new", many: "findings are new", to: "/findings", search: { first_seen_after: day } },
    { n: c.reopened, one: "finding came back", many: "findings came back", to: "/findings", search: { state: "reopened" } },
    { n: c.fixed, one: "finding was fixed", many: "findings were fixed", to: "/findings", search: { state: "fixed" } },
    { n: c.scans, one: "scan was completed", many: "scans were completed", to: "/scans" },
    { n: c.imports, one: "report was imported", many: "reports were imported", to: "/import" },
  ];
}
