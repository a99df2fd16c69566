// What stands in each column of the table of findings.
import { createColumnHelper, columnVisibilityFeature, tableFeatures } from "@tanstack/react-table";

import { Inert, Missing, plain } from "../../ui/inert";
import { Chance, CVSS, Removed } from "../../ui/numbers";
import { Day, When } from "../../ui/when";
import { Decision, KEV, Severity, State, wordOf } from "../../ui/words";
import { base } from "../../api/client";
import type { Row } from "./reader";
import type { Sort } from "./search";

/** Slot is a place in the list, with the finding that stands there, if it is at hand. */
export type Slot = { index: number; row: Row | undefined };

export const features = tableFeatures({ columnVisibilityFeature });

/** heads are how the columns are called, and what they sort by. */
export const heads: Record<string, { name: string; about?: string; sort?: Sort["by"]; right?: boolean }> = {
  select: { name: "Select" },
  decision: { name: "Decision", sort: "rank", about: "Most urgent first: by decision, then likelihood, then score" },
  severity: { name: "Severity", sort: "severity" },
  title: { name: "Finding" },
  host: { name: "Host", sort: "host" },
  service: { name: "Port, service" },
  likelihood: { name: "Likelihood", sort: "likelihood", about: "Chance of attacks within 30 days", right: true },
  cvss: { name: "CVSS", sort: "cvss", right: true },
  risk: { name: "Risk removed", sort: "risk_removed", about: "Expected drop in the weight of jewels that fall, by attack paths", right: true },
  due: { name: "Due", sort: "due" },
  triage: { name: "State" },
  seen: { name: "Last seen", sort: "last_seen" },
};

/** addressOf is where the page of a finding is. */
export const addressOf = (id: number): string => new URL(`findings/${id}`, base).pathname;

/** nameOf is a finding in a few words, for titles and screen readers. */
export const nameOf = (row: Row): string => plain(row.title ?? row.cve ?? row.check ?? `Finding ${row.id}`);

/** Place is where a service answers: "443/tcp https", or the package. */
export function Place({ row }: { row: Row }) {
  if (row.port !== null)
    return (
      <>
        <span className="num">{row.port}</span>
        <span className="dim">/{row.protocol}</span> {row.service && <Inert text={row.service} />}
      </>
    );
  if (row.component) return <Inert text={row.component} />;
  return <Missing why="the host itself, no port" />;
}

/** Stand is where a finding stands in its life: what people said of it goes before what scans saw. */
export function Stand({ row }: { row: Row }) {
  if (row.state === "fixed" || row.state === "closed") return <State value={row.state} />;
  if (row.triage !== "none") return <State value={row.triage} />;
  if (row.state === "reopened") return <State value="reopened" />;
  return <span className="dim">{row.assignee ? <>with <Inert text={row.assignee} /></> : wordOf(row.state)}</span>;
}

function Title({ row }: { row: Row }) {
  return (
    <span className="fi-title">
      {row.kev && <KEV />}
      <a href={addressOf(row.id)} tabIndex={-1} className="cut" title={nameOf(row)}>
        <Inert text={row.title ?? row.cve ?? row.check} />
      </a>
      {row.triage !== "none" && <span className="fi-mark"><State value={row.triage} /></span>}
      {row.cve && row.title && <span className="mono dim fi-cve">{plain(row.cve)}</span>}
    </span>
  );
}

const helper = createColumnHelper<typeof features, Slot>();
const column = (id: string, cell: (row: Row) => React.ReactNode) =>
  helper.display({ id, header: heads[id]?.name ?? id, cell: ({ row: { original } }) => original.row && cell(original.row) });

export const columns = [
  column("decision", (r) => <Decision value={r.decision} forensics={r.forensics} />),
  column("severity", (r) => <Severity value={r.severity} />),
  column("title", (r) => <Title row={r} />),
  column("host", (r) => <Inert text={r.host} cut />),
  column("service", (r) => <span className="cut"><Place row={r} /></span>),
  column("likelihood", (r) => <Chance value={r.likelihood} source={r.likelihood_source} />),
  column("cvss", (r) => <CVSS value={r.cvss} />),
  column("risk", (r) => <Removed value={r.risk_removed} />),
  column("due", (r) => (r.state === "open" || r.state === "reopened" ? <Day at={r.due} due /> : <Day at={r.due} />)),
  column("triage", (r) => <Stand row={r} />),
  column("seen", (r) => <When at={r.last_seen} />),
];

/** Lines is a finding in two lines, where there is no room for columns. */
export function Lines({ row }: { row: Row }) {
  return (
    <>
      <span className="fi-line">
        <a href={addressOf(row.id)} tabIndex={-1} className="cut">
          <Inert text={row.title ?? row.cve ?? row.check} />
        </a>
      </span>
      <span className="fi-line">
        <Decision value={row.decision} forensics={row.forensics} />
        {row.kev && <KEV />}
        <span className="cut dim"><Inert text={row.host} />{row.port !== null && `:${row.port}`}</span>
        <span className="fi-end">{row.triage !== "none" ? wordOf(row.triage) : <Day at={row.due} due />}</span>
      </span>
    </>
  );
}
