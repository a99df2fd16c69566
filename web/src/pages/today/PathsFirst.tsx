import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { Inert, plain } from "../../ui/inert";
import { Removed } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Decision } from "../../ui/words";

/** PathsFirst is what to fix first by attack paths. It is a ranking of its own, and is there only when paths were worked out and something helps. */
export function PathsFirst() {
  const list = $api.useQuery("get", "/api/v1/findings", { params: { query: { sort: "risk_removed", confirmed: true, limit: 5 } } }, { refetchInterval: 60_000 });
  const findings = (list.data?.findings ?? []).filter((f) => (f.risk_removed ?? 0) > 0);
  if (findings.length === 0) return null;
  return (
    <Panel title="Fix first by attack paths" flush actions={<span className="today-links"><Link to="/findings" search={{ sort: "risk_removed" } as never} className="today-more">All findings by it</Link><Link to="/paths" className="today-more">All paths</Link></span>}>
      <ol className="today-list">
        {findings.map((f) => (
          <li key={f.id}>
            <Link to="/findings/$id" params={{ id: String(f.id) }} className="today-line">
              <span className="today-flag"><Decision value={f.decision} /></span>
              <span className="today-what">
                <span className="today-do" title={plain(f.title ?? "")}><Inert text={f.title ?? f.cve ?? f.check} /></span>
                <span className="dim today-meta"><span><Inert text={f.cve ?? f.check} /> on <Inert text={f.host} /></span></span>
              </span>
              <span className="today-due"><span className="dim">removes</span> <b><Removed value={f.risk_removed} /></b></span>
            </Link>
          </li>
        ))}
      </ol>
      <p className="today-quiet dim today-foot">How much less of the weight of your jewels falls to an attacker when it alone is fixed.</p>
    </Panel>
  );
}
