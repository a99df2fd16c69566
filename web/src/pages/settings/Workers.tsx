// Who runs the tools, and how to start one more.
import { Button, NativeSelect } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, base, type Schema } from "../../api/client";
import { useMay, useSystem } from "../../api/session";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { useAct } from "./act";
import { keepToken, onlyHere, startWorker } from "./command";
import { Command, Once, Sure } from "./parts";

export function Workers() {
  const workers = $api.useQuery("get", "/api/v1/workers", {}, { refetchInterval: 10_000 });
  const admin = useMay("admin");
  return (
    <>
      <Panel title="Seen lately" flush>
        {workers.isError && !workers.data ? <Failure error={workers.error} what="the workers" retry={() => void workers.refetch()} /> : !workers.data ? <Loading rows={3} label="Loading workers" /> : workers.data.workers.length === 0 ? (
          <Empty title="No worker has been seen yet">The server itself runs the tools of sites that have no worker of their own.</Empty>
        ) : (
          <Table workers={workers.data.workers} />
        )}
      </Panel>
      {admin ? <Start /> : <p className="dim">Administrators start workers: each needs a token.</p>}
    </>
  );
}

function Table({ workers }: { workers: Schema<"Worker">[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">Site</th>
          <th scope="col">State</th>
          <th scope="col">Tools</th>
          <th scope="col" className="wide-only right">Runs at once</th>
        </tr>
      </thead>
      <tbody>
        {workers.map((w, i) => (
          <tr key={`${w.name} ${w.started} ${i}`}>
            <th scope="row"><Inert text={w.name} /><div className="settings-sub">{w.version ? <>version <Inert text={w.version} /></> : "version not known"}, started <When at={w.started} /></div></th>
            <td>{w.site ? <Inert text={w.site} /> : <span className="dim">the server's own</span>}</td>
            <td><Chip tone={w.alive ? "good" : "high"}>{w.alive ? "Alive" : "Away"}</Chip><div className="settings-sub">seen <When at={w.last_seen} /></div></td>
            <td><Tools list={w.scanners} /></td>
            <td className="wide-only right num">{count(w.capacity, "tool")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Tools({ list }: { list: Schema<"WorkerScanner">[] }) {
  if (list.length === 0) return <Missing why="it named none" />;
  const [have, lack] = [list.filter((s) => s.available), list.filter((s) => !s.available)];
  return (
    <>
      {have.map((s) => <div key={s.name}><Inert text={s.name} /> <span className="dim">{s.version ? <Inert text={s.version} /> : "version not known"}</span></div>)}
      {lack.length > 0 && <details><summary>{count(lack.length, "tool")} missing</summary>{lack.map((s) => <div key={s.name}><Inert text={s.name} /> <span className="dim"><Inert text={s.reason} /></span></div>)}</details>}
    </>
  );
}

function Start() {
  const sites = $api.useQuery("get", "/api/v1/sites");
  const system = useSystem();
  const [site, setSite] = useState("");
  const [token, setToken] = useState<string | null>(null);
  const { act, busy } = useAct();
  const names = sites.data?.sites.map((s) => s.name) ?? [];
  const chosen = site || names.find((n) => n !== "default") || names[0] || "";
  const [asking, setAsking] = useState(false);
  const make = () =>
    act(
      async () => {
        const { data } = await api.POST("/api/v1/tokens", { body: { name: `worker of ${chosen}`, role: "worker", site: chosen } });
        setToken(data!.token);
      },
      { done: `A worker's token for ${chosen} was made.`, failed: "The token was not made", stale: ["/api/v1/tokens"] },
    );
  const server = base.href;
  return (
    <Panel title="Start a worker">
      <div className="settings-form">
        <p>A worker runs the tools of one site, from a machine that reaches it. It needs the program, this server's address and a token of the site; it sees no finding, host or user.</p>
        <div className="settings-inline">
          <NativeSelect label="Site" value={chosen} onChange={(e) => setSite(e.currentTarget.value)} data={names} />
          <Button loading={busy} disabled={!chosen} onClick={() => setAsking(true)}>Make the token and the command</Button>
          <Link to="/settings/$section" params={{ section: "sites" }}>Another site</Link>
        </div>
        {onlyHere(server) && <p className="dim">You see the server at {server}, which leads to it from its own machine only. For workers elsewhere give it a name and TLS first.</p>}
        {system.data?.engine === "postgres" && (
          <>
            <p>A machine in the server's own trust zone can also share the database, and then does all that the server does in the background:</p>
            <Command name="Worker on the same database" text="patchscout worker --database-url postgres://…" />
          </>
        )}
      </div>
      {asking && (
        <Sure title={`A worker for ${chosen}`} label="Make the token" close={() => setAsking(false)} act={make}>
          While this token is good, scans of <Inert text={chosen} /> run in its workers only, never on the server: what the server finds at the same addresses are other hosts. Until a worker is there they wait. Revoke the token to go back.
        </Sure>
      )}
      {token && (
        <Once title={`Worker of ${chosen}`} secret={keepToken(token)} close={() => setToken(null)} says={<>On the worker's machine, first keep the token. It is shown this once.</>}>
          <div>Then start the worker:</div>
          <Command name="Start the worker" text={startWorker(server)} />
        </Once>
      )}
    </Panel>
  );
}
