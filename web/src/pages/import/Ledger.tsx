// One import: what became of every record of one report.
import { Button } from "@mantine/core";
import { IconAlertTriangle, IconArrowBackUp, IconDownload } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { $api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Facts, Page, Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { State } from "../../ui/words";
import { FindingsPart } from "../scans/Parts";
import { Broken, Told } from "../scans/Running";
import { numberOf } from "../scans/search";
import { Withdraw } from "../scans/Withdraw";
import { useLive } from "../scans/watch";
import { fileName } from "../scans/words";
import { Equation } from "./Equation";
import { rawAt } from "./Imports";
import { countedOf } from "./ledger";
import { Refused } from "./Refused";
import "../scans/scans.css";
import "./import.css";

export function LedgerPage() {
  const id = numberOf((useParams({ strict: false }) as { id?: string }).id);
  if (id === null) return <Page title="No import"><Empty title="There is no such import" action={<Link to="/import">All imports</Link>}>Imports have numbers; this is none.</Empty></Page>;
  return <Known key={id} id={id} />;
}

function Known({ id }: { id: number }) {
  const doc = $api.useQuery("get", "/api/v1/imports/{id}", { params: { path: { id } } });
  if (doc.data) return <Shown doc={doc.data} />;
  return (
    <Page title={`Import ${id}`}>
      <Panel flush>{doc.isError ? <Failure error={doc.error} retry={() => void doc.refetch()} what="the import" /> : <Loading rows={8} label="Loading the import" />}</Panel>
    </Page>
  );
}

function Shown({ doc }: { doc: Schema<"Imported"> }) {
  const may = useMay("analyst");
  const navigate = useNavigate();
  const [asked, ask] = useState(false);
  const runs = doc.status === "pending" || doc.status === "running";
  const heard = useLive(doc.id, runs);
  const file = fileName(doc.ledger.file);
  const actions = may && !runs && (
    <>
      <Button variant="default" component="a" href={rawAt(doc.id)} download leftSection={<IconDownload size={16} aria-hidden="true" />}>Report</Button>
      <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden="true" />} onClick={() => ask(true)}>Undo</Button>
    </>
  );
  return (
    <Page title={file} about={<>Import {doc.id}{doc.ledger.tool && <>, a report of <Inert text={doc.ledger.tool} /></>}, site <Inert text={doc.site} />, by <Inert text={doc.by} />, <When at={doc.at} /></>} actions={actions} wide>
      {runs && <Broken line={heard.line} />}
      <Told text={runs ? "The report is being read." : doc.status === "failed" ? "The report was not imported." : "The report is read."} ended={!runs} />
      {doc.ledger.warning && <div className="note" role="note"><IconAlertTriangle size={16} aria-hidden="true" /><Inert text={doc.ledger.warning} /></div>}
      {doc.status === "failed" && <div className="note" data-kind="bad"><IconAlertTriangle size={16} aria-hidden="true" /><Refused says={doc.reason ?? "the import failed"} file={file} /></div>}
      <div className="columns">
        <Ledger doc={doc} heard={heard} runs={runs} />
        <Panel title="The report"><About doc={doc} /></Panel>
      </div>
      {!runs && doc.ledger.findings.new + doc.ledger.findings.merged > 0 && <Found id={doc.id} />}
      {asked && <Withdraw kind="import" id={doc.id} name={file} close={() => ask(false)} done={() => void navigate({ to: "/import", replace: true })} />}
    </Page>
  );
}

function Ledger({ doc, heard, runs }: { doc: Schema<"Imported">; heard: ReturnType<typeof useLive>; runs: boolean }) {
  const live = runs ? heard.progress?.ledger : undefined;
  const percent = Math.floor(heard.progress?.percent ?? 0);
  return (
    <Panel title="Ledger" actions={<State value={doc.status} />}>
      {runs && <div className="meter" style={{ height: 6, margin: "0 0 14px" }} role="progressbar" aria-label="Progress of the import" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}><span style={{ width: `${percent}%` }} /></div>}
      {doc.status === "failed" && doc.ledger.records === 0 ? <p className="dim">Nothing of it was kept, so there is nothing to count.</p> : <Equation counted={live ?? countedOf(doc.ledger)} scan={doc.id} running={runs} />}
      {doc.ledger.dropped.length > 0 && (
        <>
          <h3 style={{ margin: "18px 0 4px" }}>Dropped</h3>
          <table className="table">
            <caption className="sr">Reasons for what was dropped</caption>
            <thead><tr><th scope="col">Why</th><th scope="col" className="num">Records</th></tr></thead>
            <tbody>{doc.ledger.dropped.map((d) => <tr key={d.reason}><td><Inert text={d.reason} /></td><td className="num">{d.count.toLocaleString()}</td></tr>)}</tbody>
          </table>
        </>
      )}
    </Panel>
  );
}

function About({ doc }: { doc: Schema<"Imported"> }) {
  const l = doc.ledger;
  const known = doc.status !== "failed" || l.records > 0;
  return (
    <Facts rows={[
      ["File", <Inert key="f" text={l.file} mono />],
      ["Hosts", known ? `${count(l.hosts, "host")}, ${l.hosts_up.toLocaleString()} up` : <Missing key="h" />],
      ["Services", known ? count(l.services, "service") : <Missing key="s" />],
      ["Named in it", known ? count(l.cves, "CVE") : <Missing key="c" />],
      ...(l.unknown_version > 0 ? [["Not matched", `${count(l.unknown_version, "service")} without a version`] as [string, React.ReactNode]] : []),
    ]} />
  );
}

function Found({ id }: { id: number }) {
  const scan = $api.useQuery("get", "/api/v1/scans/{id}", { params: { path: { id } } });
  return <Panel flush title="Findings">{scan.data ? <FindingsPart scan={scan.data} /> : <Loading rows={4} label="Loading the findings" />}</Panel>;
}
