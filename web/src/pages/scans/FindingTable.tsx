// Findings in a few columns; the page of findings has them all.
import { Link } from "@tanstack/react-router";

import type { Schema } from "../../api/client";
import { Inert } from "../../ui/inert";
import { Decision, KEV, Severity, State } from "../../ui/words";

export function FindingTable({ rows, caption }: { rows: Schema<"Finding">[]; caption: string }) {
  return (
    <table className="table">
      <caption className="sr">{caption}</caption>
      <thead><tr><th scope="col">Finding</th><th scope="col">Severity</th><th scope="col" className="wide-only">Decision</th><th scope="col" className="wide-only">Host</th><th scope="col" className="wide-only">State</th></tr></thead>
      <tbody>
        {rows.map((f) => (
          <tr key={f.id}>
            <td className="main-cell">
              <Link to="/findings/$id" params={{ id: String(f.id) }} className="rowlink"><Inert text={f.cve ?? f.title ?? f.check} /></Link> {f.kev && <KEV />}
              {f.cve && <div className="dim"><Inert text={f.title} cut /></div>}
              <div className="dim narrow-only"><Inert text={f.host + (f.port !== null ? `:${f.port}` : "")} mono /></div>
            </td>
            <td><Severity value={f.severity} /></td>
            <td className="wide-only"><Decision value={f.decision} forensics={f.forensics} /></td>
            <td className="wide-only nowrap"><Link to="/assets/$id" params={{ id: String(f.host_id) }}><Inert text={f.host} mono /></Link>{f.port !== null && <span className="dim">:{f.port}</span>}</td>
            <td className="wide-only"><State value={f.state} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
