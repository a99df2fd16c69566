// The numbers and dates of a CVE, each with who gave it.
import type { ReactNode } from "react";

import type { Schema } from "../../api/client";
import { Inert, Missing, plain } from "../../ui/inert";
import { Chance, percent } from "../../ui/numbers";
import { Facts, Panel } from "../../ui/page";
import { Day } from "../../ui/when";
import { Decision, Severity } from "../../ui/words";
import { History } from "./History";
import { publisherOf, timelineOf, vectorWords } from "./story";
import { useMine } from "./Yours";

/** Side stands beside the story. */
export function Side({ cve }: { cve: Schema<"CVE"> }) {
  return (
    <div className="cve-column">
      <Scores cve={cve} />
      <Forecast cve={cve} />
      <Deciding cve={cve} />
      <Exploited cve={cve} />
      <Timeline cve={cve} />
      <Disagree cve={cve} />
    </div>
  );
}

function Scores({ cve }: { cve: Schema<"CVE"> }) {
  return (
    <Panel title="Scores">
      {cve.scores.length === 0 && cve.ratings.length === 0 && <p className="dim">Nobody has scored it yet.</p>}
      <ul className="cve-scores">
        {cve.scores.map((s, i) => (
          <li key={i}>
            <strong className="num">{s.score.toFixed(1)}</strong> <Severity value={s.severity} /> <span className="dim">CVSS {plain(s.version)} by <Inert text={publisherOf(s.source)} />{s.vector === cve.cvss_vector && s.source === cve.cvss_source ? ", used here" : ""}</span>
            <div className="mono cve-vector"><Inert text={s.vector} /></div>
          </li>
        ))}
        {cve.ratings.map((r, i) => <li key={"r" + i}><Severity value={r.level} /> <span className="dim">in words, by <Inert text={publisherOf(r.source)} /></span></li>)}
      </ul>
      {vectorWords(cve.cvss_vector).length > 0 && <Facts rows={vectorWords(cve.cvss_vector)} />}
    </Panel>
  );
}

function Forecast({ cve }: { cve: Schema<"CVE"> }) {
  const rows: [string, ReactNode][] = [["Within 30 days", <Chance key="c" value={cve.likelihood} source={cve.likelihood_source} />]];
  if (cve.epss !== null) rows.push(["EPSS", <>{percent(cve.epss)} of <Day at={cve.epss_date} /></>], ["Higher than", cve.epss_percentile === null ? <Missing key="p" /> : `${percent(cve.epss_percentile)} of all CVEs`]);
  return (
    <Panel title="Chance of attacks">
      <Facts rows={rows} />
      {cve.epss === null && <p className="dim cve-small cve-gap">EPSS has no forecast for it{cve.likelihood_source === "estimated" ? "; this is PatchScout's own estimate from its facts" : ""}.</p>}
      <History days={cve.epss_history} />
    </Panel>
  );
}

const inputs: Record<string, string> = { exposed: "that the internet reaches it", automatable: "that attacks can be automated", technical_impact: "that it gives full control", kev: "whether it is exploited" };

function Deciding({ cve }: { cve: Schema<"CVE"> }) {
  const rows: [string, ReactNode][] = [["Decision", <Decision key="d" value={cve.decision} />], ["By the table of", "CISA BOD 26-04"]];
  if (cve.ssvc) rows.push(["Exploitation", <Inert key="e" text={cve.ssvc.exploitation} />], ["Automatable", <Inert key="a" text={cve.ssvc.automatable} />], ["Technical impact", <Inert key="t" text={cve.ssvc.technical_impact} />], ["Assessed by", <>{publisherOf(cve.ssvc.source ?? "")} <Day at={cve.ssvc.date} /></>]);
  rows.push(["Priority score", cve.priority_score === null ? <Missing key="s" /> : <span key="s" className="num" title="0.5 if exploited + 0.4 x CVSS/10 + 0.1 x how new it is">{cve.priority_score.toFixed(3)} of 1{cve.score_partial && <span className="dim"> without {cve.score_missing.join(", ")}</span>}</span>]);
  return (
    <Panel title="What to do, and by when">
      <Facts rows={rows} />
      {cve.decision_assumed.length > 0 && <p className="dim cve-small cve-gap">Assumed, as it is not known: {cve.decision_assumed.map((a) => inputs[a] ?? a).join(", ")}. On your hosts the decision uses what is known of each.</p>}
    </Panel>
  );
}

function Exploited({ cve }: { cve: Schema<"CVE"> }) {
  if (!cve.kev) return <Panel title="Known to be exploited"><p className="dim">{cve.kev === null ? "CISA's list was never loaded, so this is not known." : cve.exploited_by.length > 0 ? <>Not on CISA's list, but said to be exploited by <Inert text={cve.exploited_by.map(publisherOf).join(", ")} />.</> : "Not on CISA's list."}</p></Panel>;
  return (
    <Panel title="Known to be exploited">
      <Facts rows={[["On CISA's list since", <Day key="a" at={cve.kev_added} />], ["Agencies' deadline", <Day key="d" at={cve.kev_due} />], ["Ransomware", cve.ransomware === null ? <Missing key="r" /> : cve.ransomware ? "known to use it" : "not known to use it"]]} />
      {cve.required_action && <p className="cve-small cve-gap"><Inert text={cve.required_action} /></p>}
    </Panel>
  );
}

function Timeline({ cve }: { cve: Schema<"CVE"> }) {
  const first = useMine(cve.id).data?.findings[0]?.first_seen;
  return (
    <Panel title="Timeline">
      <ol className="cve-time">
        {timelineOf(cve, first).map((m) => <li key={m.day + m.what}><Day at={m.day} /><span>{m.what}{m.more && <span className="dim"> ({plain(m.more)})</span>}</span></li>)}
      </ol>
    </Panel>
  );
}

function Disagree({ cve }: { cve: Schema<"CVE"> }) {
  return (
    <Panel title="Sources">
      <ul className="cve-list">
        {cve.provenance.filter((p) => p.field !== "title").map((p) => <li key={p.field + p.source}><span>{p.field === "configurations" ? "affected versions" : plain(p.field)}</span> <span className="dim">{publisherOf(p.source)}{p.date && <>, <Day at={p.date} /></>}</span></li>)}
      </ul>
      {cve.conflicts.length > 0 && (
        <>
          <p className="cve-gap">Others say:</p>
          <ul className="cve-list">{cve.conflicts.slice(0, 20).map((c, i) => <li key={i}>{plain(c.field)}: <Inert text={c.value} /> <span className="dim">{publisherOf(c.source)}{c.date && <>, <Day at={c.date} /></>}</span></li>)}</ul>
        </>
      )}
    </Panel>
  );
}
