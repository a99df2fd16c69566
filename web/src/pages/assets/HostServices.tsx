// What answers on a host, and what that is known from.
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { Button } from "@mantine/core";
import type { Schema } from "../../api/client";
import { Inert, Missing, plain, Raw } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { ScanLink, type Detail } from "./Host";

const few = 15;

/** Services is the table of open ports; each line folds out to its evidence. */
export function Services({ host }: { host: Detail }) {
  const [all, setAll] = useState(false);
  if (host.services.length === 0) return <Panel title="Services"><p className="dim">No scan or report names a service on it. What is installed on it may still have findings.</p></Panel>;
  const lines = all ? host.services : host.services.slice(0, few);
  return (
    <Panel title={`Services (${host.services.length})`} flush>
      <table className="table host-services" aria-label="Services">
        <thead><tr><th scope="col">Port</th><th scope="col">Product and version</th><th scope="col">Known from</th><th scope="col" className="right">Seen</th></tr></thead>
        <tbody>{lines.map((s) => <Service key={s.protocol + s.port} host={host} service={s} />)}</tbody>
      </table>
      {host.services.length > lines.length && <div className="panel-body"><Button variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(host.services.length, "service")}</Button></div>}
    </Panel>
  );
}

function Service({ host, service }: { host: Detail; service: Schema<"Service"> }) {
  const evidence = host.evidence.find((e) => e.port === service.port && e.protocol === service.protocol);
  const guessed = evidence !== undefined && evidence.said.length > 0 && evidence.said.every((s) => s.guessed);
  return (
    <tr>
      <td className="nowrap">
        <Link className="mono" to="/findings" search={{ host: String(host.id), port: [service.port] } as never} title="its findings">{service.port}/{plain(service.protocol)}</Link>
        {service.tls && <> <Chip tone="good" title="it speaks TLS">TLS</Chip></>}
      </td>
      <td>
        {service.product ? <><Inert text={service.product} /> {service.version ? <Inert text={service.version} /> : <span className="dim">version not known</span>}</> : <span className="dim">{service.service ? <><Inert text={service.service} />{guessed && ", guessed from the port"}</> : "not known"}</span>}
        {service.product && service.service && <span className="dim"> · <Inert text={service.service} /></span>}
        {evidence?.backport && <div className="dim host-small"><Inert text={evidence.backport} /> backports fixes: the version alone proves little</div>}
        {service.unknown_version > 0 && <div className="dim host-small">{count(service.unknown_version, "CVE")} of the product cannot be ruled in or out without its version</div>}
        <Evidence service={service} evidence={evidence} />
      </td>
      <td className="dim">{evidence ? evidence.said.map((s, i) => <span key={i}>{i > 0 && ", "}<Inert text={s.scanner} /></span>) : <Missing />}</td>
      <td className="right"><When at={evidence?.last_seen} /></td>
    </tr>
  );
}

function Evidence({ service, evidence }: { service: Schema<"Service">; evidence?: Schema<"ServiceEvidence"> }) {
  const only = evidence?.said.length === 1 && evidence.said[0]!.guessed; // the line above says all of that
  if (service.cpes.length === 0 && !evidence?.banner && (only || (evidence?.said.length ?? 0) === 0)) return null;
  return (
    <details className="host-fold">
      <summary>Evidence<span className="sr"> of port {service.port}</span></summary>
      {evidence?.banner && <Raw text={evidence.banner} label={`What port ${service.port} said`} />}
      {service.cpes.length > 0 && <ul>{service.cpes.map((c) => <li key={c}><Link className="mono" to="/catalogue" search={{ cpe: c } as never} title="CVEs that apply to this name"><Inert text={c} /></Link></li>)}</ul>}
      <ul>
        {evidence?.said.map((s, i) => (
          <li key={i}><Inert text={s.scanner} /> (<ScanLink id={s.scan_id} />, <When at={s.at} />): <Inert text={[s.service, s.product, s.version].filter(Boolean).join(" ") || "an open port"} />{s.guessed && <span className="dim">, guessed from the port</span>}</li>
        ))}
      </ul>
    </details>
  );
}
