// Everything that is known of one finding, in the order in which it is asked: what is it, why now, what to do, who says so.
import { Link } from "@tanstack/react-router";
import { createContext, use, type ReactNode } from "react";

import type { Schema } from "../../api/client";
import { Inert, Missing, plain, Raw } from "../../ui/inert";
import { Chance, count, CVSS, percent, Removed } from "../../ui/numbers";
import { Facts } from "../../ui/page";
import { Day, When } from "../../ui/when";
import { Decision, Severity, wordOf } from "../../ui/words";
import { assumptions, dayOf, publisherOf, sourcesOf, webAddress } from "./sources";

export type Vulnerability = Schema<"Vulnerability">;

/** Level is how deep the headings of a finding stand: below the page's own, or below that of the panel. */
export const Level = createContext<"h2" | "h3">("h2");

/** Section is a part with a heading and a thin line above. */
export function Section({ title, children, aside }: { title: string; children: ReactNode; aside?: ReactNode }) {
  const Heading = use(Level);
  return (
    <section className="fi-section">
      <header>
        <Heading>{title}</Heading>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Detail shows all parts that there is something to say in. */
export function Detail({ v }: { v: Vulnerability }) {
  return (
    <>
      <Words v={v} />
      <Fix v={v} />
      <Why v={v} />
      <EvidenceOf v={v} />
      <Exploits v={v} />
      <Techniques v={v} />
      <Indicators v={v} />
      <Where v={v} />
      <References v={v} />
    </>
  );
}

const topics: Record<string, string> = { what: "What", attack: "Attack", rating: "Rating", use: "In use", do: "Do" };

function Words({ v }: { v: Vulnerability }) {
  if (v.explanation.length === 0) return null;
  return (
    <Section title="In plain words">
      <div className="fi-words">
        {v.explanation.map((s, i) => {
          const by = sourcesOf(s.fields, v);
          return (
            <div key={i}>
              <span className="dim">{topics[s.topic] ?? wordOf(s.topic)}</span>
              <p>
                <Inert text={s.text} />
                {by.length > 0 && <span className="fi-by"> {plain(by.join("; "))}</span>}
              </p>
            </div>
          );
        })}
      </div>
    </Section>
  );
}

function Fix({ v }: { v: Vulnerability }) {
  const action = v.cve_facts?.required_action;
  const by = [...new Set(v.evidence.map((e) => publisherOf(e.scanner)))].join(", ");
  return (
    <Section title="What to do" aside={v.remedy_key && <Link to="/findings" search={{ remedy: v.remedy_key } as never}>All findings that this fixes</Link>}>
      <Facts
        rows={[
          ["Fix", v.remedy ? <><Inert text={v.remedy} /> {by && <span className="fi-by">{plain(by)}</span>}</> : <Missing why="no scanner and no feed says how" />],
          ...(v.fixed_in ? [["Fixed in", <Inert key="f" text={v.fixed_in} mono />] as [string, ReactNode]] : []),
          ...(action ? [["CISA asks", <><Inert text={action} />{v.cve_facts?.kev_due && <span className="fi-by"> by {dayOf(v.cve_facts.kev_due)} for US agencies</span>}</>] as [string, ReactNode]] : []),
        ]}
      />
    </Section>
  );
}

function Why({ v }: { v: Vulnerability }) {
  const c = v.cve_facts;
  const rows: [string, ReactNode][] = [
    ["Decision", <span key="d" className="fi-inline"><Decision value={v.decision} forensics={v.forensics} /> <span className="fi-by">CISA BOD 26-04{v.forensics ? "; look for signs of an attack, too" : ""}</span></span>],
    ["Due", <span key="u" className="fi-inline"><Day at={v.due} /> {v.due && (v.state === "open" || v.state === "reopened") && <Day at={v.due} due />}</span>],
    ...(v.sla_due ? [["Due by your terms", <Day key="s" at={v.sla_due} />] as [string, ReactNode]] : []),
    ["Known exploited", v.kev === null ? <Missing why="it has no CVE, or CISA's list was never loaded" /> : v.kev ? <>Yes{c?.ransomware && ", with ransomware"} <span className="fi-by">CISA KEV{c?.kev_added && `, ${dayOf(c.kev_added)}`}</span></> : <>No <span className="fi-by">CISA KEV</span></>],
    ...((c?.exploited_by ?? []).length > 0 ? [["Exploited, says", plain(c!.exploited_by.map(publisherOf).join(", "))] as [string, ReactNode]] : []),
    ["Reachable from the internet", <Exposed key="e" v={v} />],
    ["Can be automated", <Vulnrichment key="a" value={c?.ssvc?.automatable} ssvc={c?.ssvc} />],
    ["Technical impact", <Vulnrichment key="t" value={c?.ssvc?.technical_impact} ssvc={c?.ssvc} />],
    ["Likelihood", <span key="l" className="fi-inline"><Chance value={v.likelihood} source={v.likelihood_source} /> {v.likelihood !== null && <span className="fi-by">within 30 days, {v.likelihood_source === "estimated" ? "PatchScout's estimate" : `EPSS${c?.epss_date ? `, ${dayOf(c.epss_date)}` : ""}`}{typeof c?.epss_percentile === "number" && `, higher than ${percent(c.epss_percentile)} of all CVEs`}</span>}</span>],
    ["Severity", <span key="v" className="fi-inline"><Severity value={v.severity} /> <CVSS value={v.cvss} /> {v.cvss !== null && <span className="fi-by">CVSS {v.cvss_version} <Inert text={v.cvss_source} /></span>}</span>],
    ["Score", v.priority_score === null ? <Missing why="too little is known" /> : <><span className="num">{v.priority_score.toFixed(2)}</span> of 1 <span className="fi-by">0.5 if exploited, 0.4 × CVSS / 10, 0.1 if new{v.score_partial && "; a part is not known and left out"}</span></>],
    ...(v.risk_removed !== null ? [["Attack paths", v.risk_removed > 0 ? <><Link to="/paths" search={{ fix: v.id } as never}>Fixing it</Link> takes <Removed value={v.risk_removed} /> off the weight of jewels that fall</> : "no jewel depends on it"] as [string, ReactNode]] : []),
    ["Confidence", <>{v.confidence} % <span className="fi-by">{wordOf(v.status).toLowerCase()}{v.confidence < 70 || v.status !== "affected" ? "; potential, not confirmed" : ""}</span></>],
  ];
  return (
    <Section title="Why this priority">
      {v.decision_assumed.length > 0 && (
        <p className="fi-assumed" role="note">It is not known, so it was assumed, {v.decision_assumed.map((a) => assumptions[a] ?? wordOf(a).toLowerCase()).join(", and ")}. Who knows better can say so at the host.</p>
      )}
      <Facts rows={rows} />
    </Section>
  );
}

function Exposed({ v }: { v: Vulnerability }) {
  const exposed = v.host_facts.exposed;
  if (exposed === null) return v.decision_assumed.includes("exposed") ? <>Assumed</> : <>Judged by its address <span className="fi-by">nobody has said; the site is <Inert text={v.site} /></span></>;
  return <>{exposed ? "Yes" : "No"} <span className="fi-by">a person or a scan from outside said so</span></>;
}

function Vulnrichment({ value, ssvc }: { value: string | null | undefined; ssvc: Schema<"SSVC"> | null | undefined }) {
  if (!value) return <Missing why="CISA has not looked at it" />;
  return <>{wordOf(value)} <span className="fi-by">SSVC by {plain(ssvc?.source ?? "CISA")}{ssvc?.date && `, ${dayOf(ssvc.date)}`}</span></>;
}

function EvidenceOf({ v }: { v: Vulnerability }) {
  return (
    <Section title="Evidence" aside={<span className="dim">{count(new Set(v.evidence.map((e) => e.scanner)).size, "scanner")}</span>}>
      {v.evidence.length === 0 && <p className="dim">No scanner sees it any more.</p>}
      {v.evidence.map((e, i) => (
        <details key={i} className="fi-evidence" open={i === 0 && e.output !== null ? true : undefined}>
          <summary>
            <b>{plain(publisherOf(e.scanner))}</b> <span className="dim">{e.reason ? <Inert text={e.reason} /> : "saw it"}, {e.confidence} % sure</span>
          </summary>
          {e.output ? <Raw text={e.output} label={`What ${plain(publisherOf(e.scanner))} put out`} /> : <p className="dim">It put out nothing more.</p>}
          <p><Link to="/scans/$id" params={{ id: String(e.scan_id) }}>Scan {e.scan_id}</Link></p>
        </details>
      ))}
    </Section>
  );
}

function Exploits({ v }: { v: Vulnerability }) {
  const exploits = v.cve_facts?.exploits ?? [];
  if (exploits.length === 0) return null;
  return (
    <Section title="Exploits" aside={<span className="dim">{exploits.length.toLocaleString()} published</span>}>
      <ul className="fi-lines-list">
        {exploits.slice(0, 20).map((e) => {
          const url = webAddress(e.url);
          const name = <Inert text={e.title ?? e.id} />;
          return (
            <li key={e.source + e.id}>
              {url ? <a href={url} rel="noreferrer noopener" target="_blank">{name}</a> : name}
              <span className="fi-by"> {[publisherOf(e.source), e.kind, e.rank && `ranked ${e.rank}`, e.verified && "verified", e.published && dayOf(e.published)].filter(Boolean).map((t) => plain(String(t))).join(", ")}</span>
            </li>
          );
        })}
      </ul>
      {exploits.length > 20 && v.cve && <p><Link to="/catalogue/$id" params={{ id: v.cve }}>All {exploits.length.toLocaleString()} at {v.cve}</Link></p>}
    </Section>
  );
}

const roles: Record<string, string> = { exploitation_technique: "to exploit it", primary_impact: "what it leads to", secondary_impact: "and what may follow" };

function Techniques({ v }: { v: Vulnerability }) {
  const techniques = v.cve_facts?.techniques ?? [];
  if (techniques.length === 0) return null;
  const kinds = [...new Set(techniques.map((t) => t.kind))];
  return (
    <Section title="Techniques" aside={<span className="dim">MITRE ATT&CK</span>}>
      <Facts
        rows={kinds.map((kind) => [
          (roles[kind] ?? wordOf(kind)).replace(/^./, (c) => c.toUpperCase()),
          <ul key={kind} className="fi-tags">
            {techniques.filter((t) => t.kind === kind).map((t) => (
              <li key={t.id}><Link to="/threats/$id" params={{ id: t.id }} title={t.reason ? plain(t.reason) : undefined}><span className="mono">{t.id}</span> <Inert text={t.name ?? ""} /></Link></li>
            ))}
          </ul>,
        ])}
      />
      <p className="fi-by">{plain([...new Set(techniques.map((t) => publisherOf(t.source)))].join(", "))}</p>
    </Section>
  );
}

function Indicators({ v }: { v: Vulnerability }) {
  if (v.indicators.length === 0) return null;
  return (
    <Section title="Indicators of an attack">
      <ul className="fi-lines-list">
        {v.indicators.map((n) => (
          <li key={n.source + n.value}>
            <Inert text={n.value} mono /> {n.malware && <Inert text={n.malware} />}
            <span className="fi-by"> {plain(n.source)}, {n.confidence} % sure{n.expired && ", out of date"}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Where({ v }: { v: Vulnerability }) {
  const h = v.host_facts;
  const s = v.service_facts;
  return (
    <Section title="Where" aside={<Link to="/assets/$id" params={{ id: String(v.host_id) }}>The host's whole story</Link>}>
      <Facts
        rows={[
          ["Host", <><Inert text={v.host} />{h.hostnames.length > 0 && <> <span className="dim"><Inert text={h.hostnames.slice(0, 3).join(", ")} /></span></>}</>],
          ["Site", <Inert key="s" text={v.site} />],
          ...(s ? [["Service", <><span className="num">{s.port}</span>/{s.protocol} <Inert text={[s.service, s.product, s.version].filter(Boolean).join(" ")} /></>] as [string, ReactNode]] : v.component ? [["Package", <Inert key="c" text={v.component} />] as [string, ReactNode]] : []),
          ...(v.location ? [["Place", <Inert key="l" text={v.location} mono />] as [string, ReactNode]] : []),
          ["System", h.os ? <Inert text={h.os} /> : <Missing />],
          ["Owner", h.owner ? <Inert text={h.owner} /> : <Missing why="nobody" />],
          ...(h.tags.length > 0 ? [["Tags", <Inert key="t" text={h.tags.join(", ")} />] as [string, ReactNode]] : []),
          ["Seen", <>first <When at={v.first_seen} />, last <When at={v.last_seen} /></>],
          ...(v.cve ? [["CVE", <Link key="c" to="/catalogue/$id" params={{ id: v.cve }}>{v.cve}</Link>] as [string, ReactNode]] : v.check ? [["Check", <Inert key="c" text={v.check} mono />] as [string, ReactNode]] : []),
          ...(v.cwes.length > 0 ? [["Weakness", plain(v.cve_facts?.weaknesses.map((w) => (w.name ? `${w.id} ${w.name}` : w.id)).join("; ") || v.cwes.join(", "))] as [string, ReactNode]] : []),
        ]}
      />
    </Section>
  );
}

function References({ v }: { v: Vulnerability }) {
  const all = [...new Set([v.reference, ...(v.cve_facts?.references ?? []).map((r) => r.url)])].flatMap((r) => webAddress(r) ?? []);
  if (all.length === 0) return null;
  return (
    <Section title="References">
      <ul className="fi-lines-list">
        {all.slice(0, 12).map((url) => <li key={url}><a href={url} rel="noreferrer noopener" target="_blank"><Inert text={url} /></a></li>)}
      </ul>
      {all.length > 12 && v.cve && <p><Link to="/catalogue/$id" params={{ id: v.cve }}>All {all.length} at {v.cve}</Link></p>}
    </Section>
  );
}
