// The path hop by hop: what each needs and gives, how likely it is and why, from where that is known, and what ends it.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";

import { useMay } from "../../api/session";
import { Inert, plain } from "../../ui/inert";
import { count, percent } from "../../ui/numbers";
import { Correct } from "./Correct";
import { isFixed, sameAs, withFixes, withPatch } from "./fixing";
import { chanceOf, type Hop } from "./hops";
import type { Path, PathStep } from "./kinds";
import { HostName, Known } from "./parts";
import type { Look } from "./Ways";
import { placeOf } from "./words";

export function Steps({ path, hops, look }: { path: Path; hops: Hop[]; look: Look }) {
  return (
    <ol className="pa-hops" aria-label={`The path in ${count(hops.length, "hop")}`}>
      {hops.map((h) => <HopPart key={h.at} hop={h} last={h.host?.id === path.to.id} look={look} />)}
    </ol>
  );
}

function HopPart({ hop, last, look }: { hop: Hop; last: boolean; look: Look }) {
  const on = look.chosen.step > 0 && [hop.act, ...hop.ways].some((s) => s.n === look.chosen.step);
  const part = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (on) part.current?.scrollIntoView({ block: "nearest" });
  }, [on]);
  return (
    <li ref={part} id={`path-hop-${hop.at}`} className="pa-hop-part" data-on={on || undefined}>
      <header>
        <h3>{hop.host ? <HostName host={hop.host} link /> : <Inert text={hop.act.gains} />}</h3>
        <span className="dim pa-small">{[hop.privilege && `as ${hop.privilege === "root" ? "administrator" : "user"}`, hop.host && `site ${hop.host.site}`, last && "the goal"].filter(Boolean).map((t) => plain(String(t))).join(", ")}</span>
        <strong className="num pa-hop-chance" title="that all steps of this hop work">{percent(chanceOf(hop))}</strong>
      </header>
      {hop.ways.map((w) => <WayStep key={w.n} step={w} />)}
      <ActStep step={hop.act} look={look} />
    </li>
  );
}

/** WayStep is a step on which nothing is attacked: one is near enough, or not. */
function WayStep({ step }: { step: PathStep }) {
  return (
    <div className="pa-step">
      <span className="pa-n num">{step.n}</span>
      <div className="pa-step-body">
        <p><Inert text={step.says} /></p>
        <p className="pa-known"><Known value={step.known} /> <span className="dim"><Inert text={step.why} /></span> <Corrects step={step} /></p>
        {step.fix && <p className="dim"><Inert text={step.fix} /></p>}
      </div>
    </div>
  );
}

function Corrects({ step }: { step: PathStep }) {
  const may = useMay("analyst");
  return may && step.edge ? <Correct step={step} /> : null;
}

function ActStep({ step, look }: { step: PathStep; look: Look }) {
  return (
    <div className="pa-step">
      <span className="pa-n num">{step.n}</span>
      <div className="pa-step-body">
        <p><Inert text={step.says} /></p>
        {step.title && <p className="dim pa-small"><Inert text={step.title} /></p>}
        <dl className="pa-facts">
          {factsOf(step).map(([name, value]) => <div key={name} data-wide={wide.includes(name) || undefined}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
        <Fixing step={step} look={look} />
      </div>
    </div>
  );
}

const wide = ["Likely", "Known", "By the rules"];

function factsOf(s: PathStep): [string, ReactNode][] {
  const port = placeOf(s.port, s.protocol);
  return [
    ["Needs", <Inert key="n" text={s.needs.join("; ")} />],
    ["Gives", <Inert key="g" text={s.gains} />],
    ["Likely", <><b className="num">{percent(s.chance)}</b> <span className="dim"><Inert text={s.chance_why} /></span></>],
    ["Known", <span key="k" className="pa-known"><Known value={s.known} /> <span><Inert text={s.why} />{s.finding_id !== null && <>, <Link to="/findings/$id" params={{ id: String(s.finding_id) }}>the evidence</Link></>}</span> <Corrects step={s} /></span>],
    ...(s.weakness ? [["Weakness", <span key="w">{/^CVE-\d+-\d+$/.test(s.weakness) ? <Link to="/catalogue/$id" params={{ id: s.weakness }}>{s.weakness}</Link> : <Inert text={s.weakness} />}{port && <span className="dim"> at {port} <Inert text={s.service ?? ""} /></span>}</span>] as [string, ReactNode]] : []),
    ...(s.technique ? [["Technique", <span key="t"><Link to="/threats/$id" params={{ id: s.technique.id }}><span className="mono">{s.technique.id}</span> <Inert text={s.technique.name} /></Link> <span className="dim">{sources[s.technique.source] ?? ""}</span></span>] as [string, ReactNode]] : []),
    ...(s.rules.length > 0 ? [["By the rules", <span key="r" className="dim"><Inert text={s.rules.join("; ")} /></span>] as [string, ReactNode]] : []),
  ];
}

const sources: Record<string, string> = { ctid: "as CTID published it", derived: "derived from weakness and vector", rule: "by the rule of this step" };

/** Fixing are the ways to end a step, to be ticked. */
function Fixing({ step, look }: { step: PathStep; look: Look }) {
  if (step.finding_id === null) return <p className="pa-fixing dim">No fix of a finding ends this step{step.fix ? <>: <Inert text={step.fix} /></> : "; it ends where what it needs ends"}.</p>;
  const { ticks, tick } = look;
  const all = sameAs(step);
  const others = step.alternatives.length;
  return (
    <div className="pa-fixing">
      <label><input type="checkbox" checked={isFixed(step, ticks)} onChange={(e) => tick(withFixes(ticks, all, e.currentTarget.checked))} /><span><b>Fix it here:</b> {step.fix ? <Inert text={step.fix} /> : "no scanner and no feed says how"}{others > 0 && <span className="dim"> (with the {others === 1 ? "other weakness that does" : `${others} others that do`} the same)</span>}</span></label>
      {step.weakness && <label><input type="checkbox" checked={ticks.patch.includes(step.weakness)} onChange={(e) => tick(withPatch(ticks, step.weakness!, e.currentTarget.checked))} /><span><b>Patch it everywhere:</b> <Inert text={step.weakness} /> on every host</span></label>}
      {others > 0 && (
        <details>
          <summary>{count(others, "weakness does", "weaknesses do")} the same</summary>
          <ul>
            {step.alternatives.map((a) => (
              <li key={a.finding_id}>
                <input type="checkbox" aria-label={`Fix ${plain(a.weakness)}`} checked={ticks.fix.includes(a.finding_id)} onChange={(e) => tick(withFixes(ticks, [a.finding_id], e.currentTarget.checked))} />
                <Link to="/findings/$id" params={{ id: String(a.finding_id) }}><Inert text={a.weakness} /></Link> <span className="dim num">{percent(a.chance)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
