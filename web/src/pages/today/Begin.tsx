// The first page of an estate that knows nothing yet: three steps, each with where it stands.
import { Button, Progress } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";

import { $api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { failed } from "../../ui/said";
import { Day } from "../../ui/when";

type Props = { today: Schema<"Today">; again: () => void };

const often = { refetchInterval: 3000 };

/** Begin is left by itself as soon as a scan or an import is there: again asks for Today anew. */
export function Begin({ today, again }: Props) {
  const may = useMay("analyst");
  return (
    <>
      <p className="today-headline">{may ? "Nothing is known of your network yet. Scan it, or import what other scanners found." : "Nothing is known of the network yet. Somebody with the role analyst has to scan it, or import reports."}</p>
      <ol className="today-steps">
        <Scan again={again} />
        <Import again={again} />
        <Load today={today} />
      </ol>
      <p className="dim">Only looking around? <code>patchscout demo</code> on the server shows what all of this does, with made-up hosts.</p>
    </>
  );
}

function Step({ n, title, done, children, action }: { n: number; title: string; done: boolean; children: ReactNode; action: ReactNode }) {
  return (
    <li className="today-step" data-done={done || undefined}>
      <h2><span className="today-step-n">{done ? <IconCheck size={15} aria-label="done" /> : n}</span>{title}</h2>
      <p>{children}</p>
      <span />
      <div>{action}</div>
    </li>
  );
}

/** useEnded calls fn when something that was watched is over. */
function useEnded(over: boolean, fn: () => void) {
  useEffect(() => {
    if (over) fn();
  }, [over]); // eslint-disable-line -- once
}

function Scan({ again }: { again: () => void }) {
  const may = useMay("analyst");
  const scans = $api.useQuery("get", "/api/v1/scans", { params: { query: { kind: "scan", limit: 1 } } }, often);
  const last = scans.data?.scans[0];
  const runs = last?.status === "running" || last?.status === "pending";
  useEnded(last?.status === "completed", again);
  return (
    <Step n={1} title="Start a scan" done={last?.status === "completed"} action={may && !runs && <Button component={Link} to="/scans" search={{ start: true } as never}>Start a scan</Button>}>
      {runs
        ? <Running name={<>Scan of <Inert text={last.target} /></>} percent={last.progress} stage={last.stage} more={`${count(last.hosts, "host")}, ${count(last.findings, "finding")} so far`} to={`/scans/${last.id}`} />
        : last?.status === "failed" ? <>The last scan failed: <Inert text={last.reason ?? "no reason was given"} />. <Link to="/scans/$id" params={{ id: String(last.id) }}>See why</Link></>
        : "Type an address, a range or a name. PatchScout finds what listens there and which known weaknesses it has. Nothing is exploited."}
    </Step>
  );
}

function Import({ again }: { again: () => void }) {
  const may = useMay("analyst");
  const runs = $api.useQuery("get", "/api/v1/scans", { params: { query: { kind: "import", limit: 1 } } }, often);
  const last = runs.data?.scans[0];
  const busy = last?.status === "running" || last?.status === "pending";
  useEnded(last?.status === "completed", again);
  return (
    <Step n={2} title="Import reports" done={last?.status === "completed"} action={may && !busy && <Button component={Link} to="/import" variant="default">Import reports</Button>}>
      {busy
        ? <Running name="Reading reports" percent={last.progress} stage={last.stage} more={`${count(last.findings, "finding")} so far`} to={`/import/${last.id}`} />
        : "Reports of Nessus, OpenVAS, nmap, Nuclei, Trivy and others, and SBOMs. Each comes with a ledger of what became of every line."}
    </Step>
  );
}

function Load({ today }: { today: Schema<"Today"> }) {
  const may = useMay("admin");
  const client = useQueryClient();
  const jobs = $api.useQuery("get", "/api/v1/jobs", { params: { query: { kind: ["feeds"], limit: 1 } } }, { ...often, enabled: may });
  const status = $api.useQuery("get", "/api/v1/feeds/status", {}, { refetchInterval: 5000 });
  const [asked, setAsked] = useState(false);
  const sync = $api.useMutation("post", "/api/v1/feeds/sync", {
    onSuccess: () => { setAsked(true); void client.invalidateQueries({ queryKey: ["get", "/api/v1/jobs"] }); },
    onError: (error) => failed(error, "The feeds could not be loaded"),
  });
  const job = jobs.data?.jobs[0];
  const runs = job !== undefined && (job.state === "running" || job.state === "queued");
  const catalogue = status.data?.catalogue;
  const full = catalogue ? !catalogue.starter && catalogue.records > 0 : today.first.feeds;
  const wrong = !runs && asked && job?.state === "dead" ? job.error : null;
  return (
    <Step n={3} title="Load the feeds" done={full && !runs} action={may && !runs && <Button variant="default" loading={sync.isPending} onClick={() => sync.mutate({ body: {} })}>{full ? "Load them again" : "Load the feeds"}</Button>}>
      {runs ? <Running name="Loading feeds" percent={job.percent} stage={job.stage} more={catalogue ? `${count(catalogue.records, "CVE")} known` : ""} to="/threats" search={{ tab: "feeds" }} />
        : wrong ? <>Not loaded: <Inert text={wrong} />. <Link to="/threats" search={{ tab: "feeds" }}>The runs</Link> say more.</>
        : <Known catalogue={catalogue} />}
    </Step>
  );
}

function Known({ catalogue }: { catalogue: Schema<"Catalogue"> | undefined }) {
  if (!catalogue) return <>CVEs, what attackers use, chances of attack, exploits.</>;
  if (catalogue.records === 0) return <>No CVE is known yet: nothing can be matched with what a scan finds. The feeds bring CVEs, what attackers use, chances of attack and exploits.</>;
  const records = <Link to="/catalogue">{count(catalogue.records, "CVE")}</Link>;
  if (catalogue.starter) return <>{records} of the starter catalogue are there: the best known ones. The feeds bring all the others, what attackers use, chances of attack and exploits.</>;
  return <>{records} are known; the newest is of <Day at={catalogue.newest} />. <Link to="/threats" search={{ tab: "feeds" }}>All feeds</Link></>;
}

function Running({ name, percent, stage, more, to, search }: { name: ReactNode; percent: number; stage: string | null; more: string; to: string; search?: Record<string, unknown> }) {
  return (
    <span style={{ display: "grid", gap: 6 }}>
      <span><Link to={to} search={search}>{name}</Link></span>
      <Progress value={percent} size="sm" aria-label={`${Math.round(percent)} % done`} />
      <span className="dim today-step-state">{Math.round(percent)} %{stage && <>, <Inert text={stage} /></>}{more && `, ${more}`}</span>
    </span>
  );
}
