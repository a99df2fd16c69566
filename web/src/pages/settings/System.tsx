// The server itself: version, database, health, tools, backup.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { $api, send, type Schema } from "../../api/client";
import { useSystem } from "../../api/session";
import { Inert, Missing } from "../../ui/inert";
import { bytes, count } from "../../ui/numbers";
import { Facts, Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { Day } from "../../ui/when";
import { Chip } from "../../ui/words";
import { Command } from "./parts";

export function System() {
  return (
    <>
      <Health />
      <About />
      <Scanners />
      <Backup />
    </>
  );
}

const heads: Record<string, string> = { database: "Database", disk: "Disk", jobs: "Background work", catalogue: "Catalogue" };

/** Health asks what a monitor would ask: it answers 503 with the same document when a check failed, which is an answer too. */
function Health() {
  const health = useQuery({
    queryKey: ["settings", "health"],
    refetchInterval: 15_000,
    queryFn: async ({ signal }): Promise<Schema<"Health">> => {
      const response = await fetch(new URL("health", document.baseURI), { signal });
      if (response.ok || response.status === 503) return (await response.json()) as Schema<"Health">;
      return (await (await send("health", { signal })).json()) as Schema<"Health">;
    },
  });
  if (health.isError && !health.data) return <Panel title="Health"><Failure error={health.error} what="the health" retry={() => void health.refetch()} /></Panel>;
  if (!health.data) return <Panel title="Health"><Loading rows={4} label="Asking for the health" /></Panel>;
  return (
    <Panel title="Health" flush>
      <table className="table" aria-live="polite">
        <thead><tr><th scope="col">Check</th><th scope="col">State</th><th scope="col">Why</th></tr></thead>
        <tbody>
          {health.data.checks.map((c) => (
            <tr key={c.name}>
              <th scope="row">{heads[c.name] ?? <Inert text={c.name} />}</th>
              <td><Chip tone={c.status === "ok" ? "good" : c.status === "warning" ? "medium" : "critical"}>{c.status === "ok" ? "Good" : c.status === "warning" ? "Warning" : "Failed"}</Chip></td>
              <td>{c.reason ? <Inert text={c.reason} /> : <span className="dim">nothing to say</span>}{c.name === "catalogue" && c.reason && <> <Link to="/threats" search={{ tab: "feeds" } as never}>To the feeds</Link></>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function About() {
  const system = useSystem();
  const s = system.data;
  if (system.isError && !s) return <Panel title="This server"><Failure error={system.error} what="the system" retry={() => void system.refetch()} /></Panel>;
  if (!s) return <Panel title="This server"><Loading rows={6} label="Loading the system" /></Panel>;
  return (
    <Panel title="This server">
      {s.warnings.length > 0 && <ul className="settings-list settings-warnings">{s.warnings.map((w) => <li key={w}><Inert text={w} /></li>)}</ul>}
      <Facts
        rows={[
          ["Version", <Inert key="v" text={s.version} />],
          ["Database", s.engine === "postgres" ? "PostgreSQL" : s.engine === "sqlite" ? "SQLite, in the data folder" : s.engine],
          ["Sign-in", s.auth === "off" ? "nobody has to" : s.auth],
          ["Catalogue", <span key="c"><Link to="/catalogue">{count(s.catalogue.records, "CVE")}</Link>{s.catalogue.starter && ", the starter catalogue"}, newest <Day at={s.catalogue.newest} /></span>],
          ["Largest upload", bytes(s.max_upload_bytes)],
          ["Reads reports of", <Inert key="t" text={s.tools.join(", ")} />],
          ["Features", s.features.length > 0 ? <Inert key="f" text={s.features.join(", ")} /> : "no further ones are configured"],
          ["API", <a key="a" href={new URL("docs", document.baseURI).href}>Documentation</a>],
        ]}
      />
    </Panel>
  );
}

function Scanners() {
  const scanners = $api.useQuery("get", "/api/v1/scanners", {}, { staleTime: 30_000 });
  return (
    <Panel title="Scanners on this server" flush>
      {scanners.isError && !scanners.data ? <Failure error={scanners.error} what="the scanners" retry={() => void scanners.refetch()} /> : !scanners.data ? <Loading rows={5} label="Asking the scanners" /> : (
        <table className="table">
          <thead><tr><th scope="col">Scanner</th><th scope="col">State</th><th scope="col" className="wide-only">Version</th></tr></thead>
          <tbody>
            {scanners.data.scanners.map((s) => (
              <tr key={s.name}>
                <th scope="row"><Inert text={s.name} />{s.default && <span className="settings-sub"> runs when none is named</span>}<div className="settings-sub"><Inert text={s.what} /></div></th>
                <td><Chip tone={s.available ? "good" : "info"}>{s.available ? "Ready" : "Not here"}</Chip>{s.reason && <div className="settings-sub"><Inert text={s.reason} /></div>}</td>
                <td className="wide-only">{s.version ? <Inert text={s.version} /> : <Missing />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function Backup() {
  return (
    <Panel title="Backup">
      <div className="settings-form">
        <p>On the server, while it runs. The archive holds findings, raw reports and password hashes: keep it as you keep the database. Key files and the configuration are not in it.</p>
        <Command name="Back up everything" text={'patchscout backup "/backup/$(date +%F).backup"'} />
        <p>Without the catalogue it is small; the feeds bring it back.</p>
        <Command name="Back up without the catalogue" text="patchscout backup --without-catalogue FILE" />
        <p className="dim">To restore, stop the server and its workers: <code>patchscout restore FILE</code>. Sessions and tokens do not come back.</p>
      </div>
    </Panel>
  );
}
