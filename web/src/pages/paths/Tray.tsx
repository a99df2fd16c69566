// The simulator: what is ticked, what would be left of the paths, and the way from there to the findings.
import { Button, CloseButton, Loader, Menu } from "@mantine/core";
import { IconChevronDown, IconListCheck } from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";

import { Inert, plain } from "../../ui/inert";
import { count, percent } from "../../ui/numbers";
import { messageOf } from "../../ui/states";
import { namedOf, none, ofSet, sizeOf, withFixes, withPatch, type Named, type Ticks } from "./fixing";
import type { FixSet, Path, PathFixes, Paths, WhatIf, WhatIfJewel } from "./kinds";
import { HostName } from "./parts";
import type { Look } from "./Ways";
import { estimateOf, type Goals } from "./words";

type Props = { doc: Paths; fixes: UseQueryResult<PathFixes>; look: Look; whatIf: UseQueryResult<WhatIf>; goals: Goals; rows: readonly Path[] };

export function Tray(props: Props) {
  const { look } = props;
  return (
    <section className="pa-tray" aria-label="Fix simulator" data-on={sizeOf(look.ticks) > 0 || undefined}>
      {sizeOf(look.ticks) === 0 ? <Idle {...props} /> : <Ticked {...props} />}
    </section>
  );
}

function Idle({ fixes, look }: Props) {
  const all = fixes.data?.all, patches = fixes.data?.patches;
  return (
    <div className="pa-tray-line">
      <IconListCheck size={17} stroke={1.7} aria-hidden="true" />
      <p>
        {fixes.isPending ? "Tick fixes to see what they would stop. The smallest set is being looked for …"
          : fixes.isError ? <>Tick fixes to see what they would stop. <span className="dim">The smallest set is not known: {messageOf(fixes.error)}.</span></>
          : all && all.fixes.length > 0 ? <><b>{capital(setWords(all))} {all.verified ? "stop everything." : "stop most of it."}</b> <span className="dim pa-not-small">Or tick fixes yourself to see what they would stop.</span></>
          : <>No set of fixes stops everything. <span className="dim">Tick fixes to see what they would stop, or correct and declare what is reached.</span></>}
      </p>
      <span className="pa-tray-acts">
        {all && all.fixes.length > 0 && <Button size="compact-sm" onClick={() => look.tick(ofSet(all))}>Take {all.smallest ? "the smallest" : "this"} set</Button>}
        {patches && patches.fixes.length > 0 && <Button size="compact-sm" variant="default" onClick={() => look.tick(ofSet(patches))}>Patch {count(patches.fixes.length, "CVE")} everywhere</Button>}
      </span>
    </div>
  );
}

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);

const setWords = (set: FixSet) => (set.fixes.length === 1 ? "one fix would" : `${set.fixes.length.toLocaleString()} fixes together would`);

function Ticked({ doc, fixes, look, whatIf, goals, rows }: Props) {
  const { ticks, tick } = look;
  const named = useMemo(() => namedOf(ticks, rows, [fixes.data?.all?.fixes ?? [], fixes.data?.ranked ?? [], ...doc.jewels.map((j) => j.fixes?.fixes ?? [])]), [ticks, rows, fixes.data, doc.jewels]);
  const answer = whatIf.data;
  const notices = (answer?.notices ?? []).filter((n) => !doc.notices.includes(n)); // what holds anyway stands above
  return (
    <>
      <div className="pa-tray-line" role="status">
        {whatIf.isFetching ? <Loader size={16} aria-label="Asking" /> : <IconListCheck size={17} stroke={1.7} aria-hidden="true" />}
        <p data-late={whatIf.isPlaceholderData || undefined}>
          {whatIf.isError && !answer ? <span className="pa-trouble">Could not be worked out: {messageOf(whatIf.error)} <Button variant="subtle" size="compact-sm" onClick={() => void whatIf.refetch()}>Try again</Button></span>
            : answer ? <><b>With {count(sizeOf(ticks), "fix", "fixes")}: <Inert text={answer.says} /></b> {answer.new.length > 0 && <span className="dim">{count(answer.new.length, "other way comes", "other ways come")} up instead.</span>}</>
            : "Asking what would be left …"}
        </p>
        <span className="pa-tray-acts">
          <TickedMenu named={named} ticks={ticks} tick={tick} />
          <Button size="compact-sm" variant="subtle" onClick={() => tick(none)}>Clear</Button>
        </span>
      </div>
      {notices.length > 0 && <p className="dim pa-small"><Inert text={notices.join(" ")} /></p>}
      {answer && <Difference jewels={answer.jewels} goals={goals} />}
    </>
  );
}

/** TickedMenu lists what is ticked; each leads to its finding, and can be taken off. */
function TickedMenu({ named, ticks, tick }: { named: Named[]; ticks: Ticks; tick: (t: Ticks) => void }) {
  const off = (f: Named) => tick(f.finding === null ? withPatch(ticks, f.weakness, false) : withFixes(ticks, [f.finding], false));
  return (
    <Menu shadow="md" position="top-end" width={360} closeOnItemClick={false}>
      <Menu.Target><Button size="compact-sm" variant="default" rightSection={<IconChevronDown size={13} aria-hidden="true" />}>Show as findings</Button></Menu.Target>
      <Menu.Dropdown className="pa-ticked">
        {named.slice(0, 60).map((f) => (
          <div key={f.key} className="pa-ticked-line">
            <Menu.Item renderRoot={(props: Record<string, unknown>) => (f.finding === null ? <Link to="/findings" search={{ cve: f.weakness } as never} {...props} /> : <Link to="/findings/$id" params={{ id: String(f.finding) }} {...props} />)}>
              <Inert text={f.weakness || `finding ${f.finding}`} /> <span className="dim">{f.finding === null ? "everywhere" : f.host && <>on <Inert text={f.host} /></>}</span>
            </Menu.Item>
            <CloseButton size="sm" aria-label={`Take off: ${plain(f.weakness)} ${plain(f.host)}`} onClick={() => off(f)} />
          </div>
        ))}
        {named.length > 60 && <Menu.Label>and {(named.length - 60).toLocaleString()} more</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  );
}

const few = 6;

/** Difference shows how likely each host fell before, and falls after. */
function Difference({ jewels, goals }: { jewels: WhatIfJewel[]; goals: Goals }) {
  const there = jewels.filter((j) => j.before.high > 0 || j.after.high > 0);
  if (there.length === 0) return null;
  return (
    <ul className="pa-difference" aria-label={goals === "jewels" ? "Jewels before and after" : "Hosts before and after"}>
      {there.slice(0, few).map((j) => {
        const before = estimateOf(j.before), after = estimateOf(j.after);
        return (
          <li key={j.id}>
            <span className="cut"><HostName host={j} link /></span>
            <span className="pa-two-bars" aria-hidden="true"><span><i style={{ width: `${100 * before}%` }} /></span><span><i style={{ width: `${100 * after}%` }} /></span></span>
            <span className="num nowrap">{percent(before)} <span aria-hidden="true">→</span><span className="sr">before, then</span> <b>{j.after.high === 0 ? "not reached" : percent(after)}</b></span>
          </li>
        );
      })}
      {there.length > few && <li className="dim">and {there.length - few} more</li>}
    </ul>
  );
}
