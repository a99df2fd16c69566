// The ranked list: a line for each path. Beside an open path it gets narrow and says less.
import { IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";

import { Inert, plain } from "../../ui/inert";
import { count, percent } from "../../ui/numbers";
import { Chip } from "../../ui/words";
import { endOf, isFixed, sameAs, withFixes } from "./fixing";
import { rowID } from "./keys";
import type { Path } from "./kinds";
import { HostName, Known, Share, Worth } from "./parts";
import type { Look } from "./Ways";

type Props = { paths: readonly Path[]; fresh: readonly Path[]; look: Look; open?: string };

export function PathRows({ paths, fresh, look, open }: Props) {
  return (
    <PathTable label="Attack paths, the likeliest times the weight of its jewel first" look={look} open={open}>
      {paths.map((p) => <Row key={p.id} path={p} look={look} open={open === p.id} />)}
      {fresh.length > 0 && <Between>{count(fresh.length, "way that was not listed before comes up then", "ways that were not listed before come up then")}</Between>}
      {fresh.map((p) => <Row key={p.id} path={p} look={look} open={open === p.id} fresh />)}
    </PathTable>
  );
}

/** PathTable is the head of a list of paths. */
export function PathTable({ label, open, children }: { label: string; look: Look; open?: string; children: ReactNode }) {
  return (
    <div className="pa-table" data-narrow={open ? true : undefined}>
      <h2 className="sr">{label}</h2>
      <div className="pa-columns" aria-hidden="true"><span>Chance</span><span>To</span><span>Over</span><span>Rests on</span><span>Steps</span><span>What ends it</span></div>
      <ol className="pa-rows" aria-label={label}>{children}</ol>
    </div>
  );
}

/** Between is a line between paths. */
export function Between({ children }: { children: ReactNode }) {
  return <li className="pa-between">{children}</li>;
}

/** Row is a path; its name is the link that opens it. */
export function Row({ path, look, open, fresh }: { path: Path; look: Look; open: boolean; fresh?: boolean }) {
  const { choose, chosen, gone } = look;
  const over = gone.has(path.id);
  const show = () => choose({ path: path.id, step: 0 }, chosen.path !== "");
  return (
    <li className="pa-row" data-path={path.id} data-open={open || undefined} data-gone={over || undefined} onClick={(e) => { if (!busyWith(e.target as HTMLElement)) show(); }}>
      <span className="pa-cell-chance"><Share value={path.chance} /></span>
      <span className="pa-cell-to">
        <button type="button" id={rowID(path.id)} className="pa-open" aria-current={open || undefined} onClick={show} title={plain(path.says)}>
          <span className="sr">{percent(path.chance)} to </span><HostName host={path.to} />
        </button>
        <Worth host={path.to} />
      </span>
      <span className="pa-cell-over"><Chain path={path} /></span>
      <span className="pa-cell-known">{over ? <Chip tone="good" title="it ends with the fixes that are ticked" icon={<IconCheck size={12} stroke={2.4} aria-hidden="true" />}>ends</Chip> : <Known value={path.known} />}{fresh && <Chip tone="info" title="it comes up with the fixes that are ticked">instead</Chip>}</span>
      <span className="pa-cell-steps num dim"><span className="pa-wide-not">{count(path.steps.length, "step")}</span><span className="pa-wide">{path.steps.length}</span></span>
      <span className="pa-cell-end"><End path={path} look={look} /></span>
    </li>
  );
}

const busyWith = (at: HTMLElement) => at.closest("a, button, input, label, summary") !== null || (window.getSelection()?.toString() ?? "") !== "";

/** Chain is where a path begins and over which hosts it leads, but for the last, which stands before it. */
function Chain({ path }: { path: Path }) {
  const names = [path.from, ...path.hosts.filter((h) => h.id !== path.to.id).map((h) => h.name)];
  const shown = names.length > 4 ? [...names.slice(0, 2), `${names.length - 3} more`, names[names.length - 1]!] : names;
  return (
    <span className="pa-chain" title={plain(names.join(" → "))}>
      {shown.map((n, i) => <span key={i} className={i > 0 ? "pa-hop" : undefined}>{i > 0 && <span aria-hidden="true" className="pa-arrow">→ </span>}{i > 0 && <span className="sr">, then </span>}<Inert text={n} /></span>)}
    </span>
  );
}

/** End is the step that takes the least work to end, to be ticked where it stands. */
function End({ path, look }: { path: Path; look: Look }) {
  const step = endOf(path);
  if (!step) return <span className="dim">no fix ends it; correct or declare what is reached</span>;
  const all = sameAs(step);
  const name = step.weakness ?? "its weakness";
  const host = step.host?.name ?? path.to.name;
  return (
    <label className="pa-end-fix" title={plain(`${step.fix ?? `fix ${name}`} on ${host}`)}>
      <input type="checkbox" checked={isFixed(step, look.ticks)} onChange={(e) => look.tick(withFixes(look.ticks, all, e.currentTarget.checked))} />
      <span className="pa-two">
        <span className="cut"><span className="sr">Try this fix: </span><Inert text={step.fix ?? `fix ${name}`} /></span>
        <span className="cut dim"><Inert text={name} />{all.length > 1 && ` and ${all.length - 1} more`} on <Inert text={host} /></span>
      </span>
    </label>
  );
}
