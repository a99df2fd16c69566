// What others publish about a CVE: exploits, techniques, references.
import { Button } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Schema } from "../../api/client";
import { Inert, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Day } from "../../ui/when";
import { Chip } from "../../ui/words";
import { publisherOf, webOf } from "./story";

/** Outside is a link to the web; what is no http or https address is only shown. */
export function Outside({ url, text }: { url: string | null; text?: string | null }) {
  const web = webOf(url);
  if (!web) return <Inert text={text ?? url} />;
  return <a href={web.href} target="_blank" rel="noreferrer noopener" title={plain(web.href)}><Inert text={text ?? web.href} /> <IconExternalLink size={12} aria-label="opens another site" style={{ verticalAlign: "-1px" }} /></a>;
}

/** Exploits lists what can be used to attack, or to check. */
export function Exploits({ cve }: { cve: Schema<"CVE"> }) {
  const [all, setAll] = useState(false);
  const lines = all ? cve.exploits : cve.exploits.slice(0, 8);
  if (cve.exploits.length === 0) return <Panel title="Exploits"><p className="dim">None is published in Exploit-DB, Metasploit or as a Nuclei template, as far as the loaded feeds know.</p></Panel>;
  return (
    <Panel title={`Exploits (${cve.exploits.length})`} flush>
      <table className="table cve-exploits" aria-label="Public exploits">
        <thead><tr><th scope="col">Source</th><th scope="col">What</th><th scope="col">Kind</th><th scope="col" className="right">Published</th></tr></thead>
        <tbody>
          {lines.map((e) => (
            <tr key={e.source + e.id}>
              <td className="nowrap">{publisherOf(e.source)}</td>
              <td><Outside url={e.url} text={e.title ?? e.id} /></td>
              <td>{e.kind && <Inert text={e.kind} />}{e.rank && <span className="dim">, rank <Inert text={e.rank} /></span>} {e.verified && <Chip tone="high" title="Exploit-DB has tried it">verified</Chip>}</td>
              <td className="right"><Day at={e.published} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {cve.exploits.length > lines.length && <div className="panel-body"><Button variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(cve.exploits.length, "exploit")}</Button></div>}
    </Panel>
  );
}

const kinds: Record<string, string> = { exploitation_technique: "to exploit it", primary_impact: "first effect", secondary_impact: "what follows", uncategorized: "" };

/** Techniques lists the weaknesses and what attackers do with them, each with where the link comes from. */
export function Techniques({ cve }: { cve: Schema<"CVE"> }) {
  const [all, setAll] = useState(false);
  const techniques = all ? cve.techniques : cve.techniques.slice(0, 6);
  if (cve.weaknesses.length === 0 && cve.techniques.length === 0) return null;
  return (
    <Panel title="Weaknesses and techniques" flush>
      <table className="table" aria-label="Weaknesses and techniques">
        <thead><tr><th scope="col">Id</th><th scope="col">Name</th><th scope="col">Link by</th></tr></thead>
        <tbody>
          {cve.weaknesses.map((w) => (
            <tr key={w.id}>
              <td className="mono nowrap"><Link to="/catalogue" search={{ cwe: w.id } as never} title={`all CVEs with ${plain(w.id)}`}><Inert text={w.id} /></Link></td>
              <td><Inert text={w.name} /></td>
              <td className="dim">its record</td>
            </tr>
          ))}
          {techniques.map((t, i) => (
            <tr key={t.id + t.kind + i}>
              <td className="mono nowrap"><Link to="/threats/$id" params={{ id: t.id }}>{plain(t.id)}</Link></td>
              <td><Inert text={t.name} />{kinds[t.kind] && <span className="dim"> ({kinds[t.kind]})</span>}</td>
              <td className="dim nowrap" title={t.reason ? plain(t.reason) : undefined}>{publisherOf(t.source)}, {t.confidence} %<span className="sr"> confidence</span></td>
            </tr>
          ))}
        </tbody>
      </table>
      {cve.techniques.length > techniques.length && <div className="panel-body"><Button variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(cve.techniques.length, "technique")}</Button></div>}
    </Panel>
  );
}

/** References are the links of the record, those with a patch or an advisory first. */
export function References({ cve }: { cve: Schema<"CVE"> }) {
  const [all, setAll] = useState(false);
  if (cve.references.length === 0) return null;
  const weight = (tags: string[]) => (tags.includes("Patch") ? 0 : tags.includes("Vendor Advisory") ? 1 : tags.includes("Mitigation") ? 2 : tags.length > 0 ? 3 : 4);
  const sorted = [...cve.references].sort((a, b) => weight(a.tags) - weight(b.tags));
  const lines = all ? sorted : sorted.slice(0, 10);
  return (
    <Panel title={`References (${sorted.length})`}>
      <ul className="cve-list">
        {lines.map((r) => <li key={r.url}><Outside url={r.url} /> {r.tags.map((t) => <Chip key={t} tone={t === "Patch" ? "good" : "info"}><Inert text={t} /></Chip>)}</li>)}
      </ul>
      {sorted.length > lines.length && <Button mt={10} variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(sorted.length, "reference")}</Button>}
    </Panel>
  );
}
