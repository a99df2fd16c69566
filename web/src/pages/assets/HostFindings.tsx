// What is wrong with a host: what to do about it, the findings themselves, and what may be wrong.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { Day } from "../../ui/when";
import { decisions, Decision, KEV, severities, Severity, SeverityBar } from "../../ui/words";
import type { Detail } from "./Host";
import { foldPossible } from "./possible";

const few = 10;

/** Worst is one line of numbers, each leading to its list. */
export function Worst({ host }: { host: Detail }) {
  const f = host.findings, id = String(host.id);
  const to = (search: Record<string, unknown>) => ({ to: "/findings", search: { host: id, confirmed: true, ...search } as never }) as const;
  const total = Object.values(f.by_severity).reduce((a, b) => a + b, 0);
  if (total === 0) return null; // what to do says so
  return (
    <section className="panel host-sum" aria-label="Findings in numbers">
      <div className="host-numbers">
        <Link {...to({})}><strong className="num">{total.toLocaleString()}</strong> open findings</Link>
        {decisions.filter((d) => f.by_decision[d]).map((d) => <Link key={d} {...to({ decision: [d] })} className="host-number"><Decision value={d} /> <span className="num">{f.by_decision[d]!.toLocaleString()}</span></Link>)}
        {f.kev > 0 && <Link {...to({ kev: true })} className="host-number"><KEV /> <span className="num">{f.kev.toLocaleString()}</span></Link>}
      </div>
      <SeverityBar counts={f.by_severity} />
      <div className="host-numbers host-small">{severities.filter((s) => f.by_severity[s]).map((s) => <Link key={s} {...to({ severity: [s] })}><span className="num">{f.by_severity[s]!.toLocaleString()}</span> {s}</Link>)}</div>
    </section>
  );
}

/** ToDo groups the open findings by what solves them. */
export function ToDo({ host }: { host: Detail }) {
  const query = { host: String(host.id), confirmed: true };
  const groups = $api.useQuery("get", "/api/v1/findings/groups", { params: { query: { ...query, by: "remedy", limit: few } } });
  const total = groups.data?.total ?? 0;
  return (
    <Panel title="What to do" flush actions={total > 0 && <Button component={Link} to="/findings" search={query as never} variant="default" size="compact-sm">List the findings</Button>}>
      {groups.isPending ? <Loading rows={4} /> : groups.isError ? <Failure error={groups.error} what="what to do" retry={() => void groups.refetch()} /> : total === 0 ? (
        <Empty title="Nothing is open">{host.scans.length > 0 ? "No confirmed finding is open, as far as the scans below looked." : "No scan has looked at it yet."}</Empty>
      ) : (
        <table className="table" aria-label="What to do">
          <thead><tr><th scope="col">Action</th><th scope="col">Decision</th><th scope="col" className="host-wide">Due</th><th scope="col" className="right">Solves</th></tr></thead>
          <tbody>
            {groups.data.groups.map((g) => (
              <tr key={g.key ?? ""}>
                <td>{g.key ? <Link to="/findings" search={{ ...query, remedy: g.key } as never}><Inert text={capital(g.action ?? g.name)} /></Link> : <Inert text={capital(g.action ?? g.name)} />}{g.kev > 0 && <> <KEV /></>}</td>
                <td><Decision value={g.decision} /></td>
                <td className="host-wide"><Day at={g.due} due /></td>
                <td className="right nowrap num">{count(g.findings, "finding")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {total > few && <p className="panel-body dim"><Link to="/findings" search={{ ...query, group: "remedy" } as never}>All {count(total, "action")}</Link></p>}
      {total > 0 && <First host={host} />}
    </Panel>
  );
}

const capital = (text: string | null) => (text ? text.charAt(0).toUpperCase() + text.slice(1) : "No remedy is known");

function First({ host }: { host: Detail }) {
  const list = $api.useQuery("get", "/api/v1/findings", { params: { query: { host: String(host.id), confirmed: true, limit: 8 } } });
  if (!list.data || list.data.findings.length === 0) return null;
  return (
    <>
      <h3 className="host-sub">The most urgent findings</h3>
      <table className="table" aria-label="The most urgent findings">
        <thead><tr><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">Severity</th><th scope="col" className="host-wide">Decision</th></tr></thead>
        <tbody>
          {list.data.findings.map((f) => (
            <tr key={f.id}>
              <td><Link to="/findings/$id" params={{ id: String(f.id) }}><Inert text={f.title ?? f.cve ?? f.check} /></Link>{f.cve && <> <Link to="/catalogue/$id" params={{ id: f.cve }} className="mono host-small nowrap host-cve">{f.cve}</Link></>}</td>
              <td className="nowrap">{f.port ? `${f.port}/${f.protocol}` : <Inert text={f.component ?? "host"} />}</td>
              <td><Severity value={f.severity} /></td>
              <td className="host-wide"><Decision value={f.decision} forensics={f.forensics} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Possible folds what cannot be ruled out into one line per service, each with the reason. */
export function Possible({ host }: { host: Detail }) {
  const query = { host: String(host.id), potential: true };
  const found = $api.useQuery("get", "/api/v1/findings", { params: { query: { ...query, limit: 1000 } } });
  if (!found.data || found.data.total === 0) return null;
  const folds = foldPossible(found.data.findings);
  return (
    <Panel title={`What may be wrong (${found.data.total.toLocaleString()})`} flush actions={<Button component={Link} to="/findings" search={query as never} variant="default" size="compact-sm">List them</Button>}>
      <table className="table" aria-label="Potential findings by service">
        <thead><tr><th scope="col">Service or package</th><th scope="col">Candidates</th><th scope="col">Why they are not counted</th></tr></thead>
        <tbody>
          {folds.map((f) => (
            <tr key={f.place}>
              <td><Link to="/findings" search={{ ...query, ...f.search } as never}><Inert text={f.place} /></Link>{f.product && <span className="dim"> <Inert text={f.product} /></span>}</td>
              <td className="nowrap"><span className="num">{f.n.toLocaleString()}</span>{f.kev > 0 && <> <KEV /> <span className="num">{f.kev}</span></>}</td>
              <td className="dim">{f.reasons.slice(0, 3).map((r) => <div key={r.why}><span className="num">{r.n}</span>: <Inert text={r.why} /></div>)}{f.reasons.length > 3 && <div>and {count(f.reasons.length - 3, "other reason")}</div>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.data.total > found.data.findings.length && <p className="panel-body dim host-small">Folded from the {found.data.findings.length.toLocaleString()} most urgent of them.</p>}
    </Panel>
  );
}
