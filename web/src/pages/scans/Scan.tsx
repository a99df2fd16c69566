// One scan: live while it runs, and what came of it.
import { Tabs } from "@mantine/core";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect } from "react";

import { $api } from "../../api/client";
import { useChosen } from "../../ui/chosen";
import { Inert, plain } from "../../ui/inert";
import { Page, Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Controls } from "./Controls";
import { Done } from "./Done";
import { over, type Status } from "./live";
import { FindingsPart, HostsPart, LogPart, ProblemsPart, TasksPart } from "./Parts";
import { Broken, Running, Told } from "./Running";
import { numberOf, scanSearch, type Tab } from "./search";
import { FindingStream, HostStream } from "./Streams";
import { useLive } from "./watch";
import { nameOf, tellable } from "./words";
import "./scans.css";

export function ScanPage() {
  const id = numberOf((useParams({ strict: false }) as { id?: string }).id);
  if (id === null) return <Page title="No scan"><Empty title="There is no such scan" action={<Link to="/scans">All scans</Link>}>Scans have numbers; this is none.</Empty></Page>;
  return <Known key={id} id={id} />;
}

function Known({ id }: { id: number }) {
  const scan = $api.useQuery("get", "/api/v1/scans/{id}", { params: { path: { id } } });
  const navigate = useNavigate();
  const imported = scan.data?.kind === "import";
  useEffect(() => { if (imported) void navigate({ to: "/import/$id", params: { id: String(id) }, replace: true }); }, [imported, id, navigate]);
  if (scan.data && !imported) return <Shown scan={scan.data} />;
  return (
    <Page title={`Scan ${id}`}>
      <Panel flush>{scan.isError ? <Failure error={scan.error} retry={() => void scan.refetch()} what="the scan" /> : <Loading rows={8} label="Loading the scan" />}</Panel>
    </Page>
  );
}

function Shown({ scan }: { scan: Status }) {
  const [{ tab }, choose] = useChosen(scanSearch);
  const ended = over(scan);
  const heard = useLive(scan.id, !ended || tab === "log");
  const percent = Math.floor(heard.progress?.percent ?? scan.progress);
  const title = `Scan of ${nameOf(scan)}`;
  useEffect(() => {
    document.title = `${ended ? "" : `${percent} % · `}${plain(title)} · PatchScout`;
  }, [ended, percent, title]);
  const about = (
    <>
      Scan {scan.id}{scan.scan_type ? `, ${scan.scan_type}` : ""}, site <Inert text={scan.site} />, by <Inert text={scan.by} />, <When at={scan.started_at ?? scan.created_at} />
    </>
  );
  return (
    <Page title={title} about={about} actions={<Controls scan={scan} stoppable={!ended && !scan.paused} />} wide>
      {scan.targets.length > 2 && <details className="targets"><summary>All {scan.targets.length.toLocaleString()} targets</summary><p><Inert text={scan.targets.join(", ")} mono /></p></details>}
      <Told text={tellable(scan, heard.progress)} ended={ended} />
      {!ended && <Broken line={heard.line} />}
      {ended ? <Done scan={scan} /> : <Running scan={scan} heard={heard} />}
      {!ended && (
        <div className="columns">
          <FindingStream heard={heard} id={scan.id} total={Math.max(scan.findings, heard.findings.length)} />
          <HostStream heard={heard} total={Math.max(scan.hosts, heard.hosts.length)} />
        </div>
      )}
      <Panel flush>
        <Lists scan={scan} tab={tab} choose={(t) => choose({ tab: t }, { replace: true })} heard={heard} />
      </Panel>
    </Page>
  );
}

function Lists({ scan, tab, choose, heard }: { scan: Status; tab: Tab; choose: (tab: Tab) => void; heard: ReturnType<typeof useLive> }) {
  const all: [Tab, string, number | null][] = [
    ["findings", "Findings", scan.findings], ["hosts", "Hosts", scan.hosts], ["problems", "Problems", scan.problems?.length ?? null], ["tasks", "Tasks", scan.tasks.total], ["log", "Log", null],
  ];
  const names = over(scan) ? all : [all[3]!, all[1]!, all[4]!]; // what it finds streams in above
  return (
    <Tabs value={names.some(([t]) => t === tab) ? tab : "tasks"} onChange={(t) => choose((t ?? "findings") as Tab)} keepMounted={false}>
      <Tabs.List aria-label="Parts of the scan" style={{ paddingInline: 6 }}>
        {names.map(([value, name, n]) => <Tabs.Tab key={value} value={value} py={11}>{name}{n ? <span className="dim num"> {n.toLocaleString()}</span> : null}</Tabs.Tab>)}
      </Tabs.List>
      <Tabs.Panel value="findings"><FindingsPart scan={scan} /></Tabs.Panel>
      <Tabs.Panel value="hosts"><HostsPart scan={scan} /></Tabs.Panel>
      <Tabs.Panel value="problems"><ProblemsPart scan={scan} /></Tabs.Panel>
      <Tabs.Panel value="tasks"><TasksPart scan={scan} /></Tabs.Panel>
      <Tabs.Panel value="log"><LogPart heard={heard} scan={scan} /></Tabs.Panel>
    </Tabs>
  );
}
