// The enterprise matrix of ATT&CK, coloured by one's own findings.
import { Button, Switch, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedCallback, useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight, IconSearch } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";

import { $api } from "../../api/client";
import { useChosen } from "../../ui/chosen";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { columnsOf, linesOf, moved, tallied, type Cell, type Column, type Exposed, type Place } from "./matrix";
import { repair, type Chosen } from "./search";

type Choose = (c: Partial<Omit<Chosen, "unfolded">> & { unfolded?: string[] }, how?: { replace?: boolean }) => void;

export function Matrix() {
  const [chosen, change] = useChosen(repair);
  // The list stands in the address as one text.
  const choose: Choose = ({ unfolded, ...rest }, how) => change({ ...rest, ...(unfolded && { unfolded: unfolded.join(" ") as never }) }, how);
  const exposure = $api.useQuery("get", "/api/v1/techniques/exposure", {}, { staleTime: 60_000 });
  const columns = useMemo(() => (exposure.data ? columnsOf(exposure.data.tactics, exposure.data.techniques, { mine: chosen.mine, words: chosen.q }) : []), [exposure.data, chosen.mine, chosen.q]);
  if (exposure.isError && !exposure.data) return <Failure error={exposure.error} what="the matrix" retry={() => void exposure.refetch()} />;
  if (!exposure.data) return <Panel><Loading rows={12} label="Loading the matrix" /></Panel>;
  if (exposure.data.techniques.length === 0)
    return <Empty title="ATT&CK was not loaded yet" action={<Button component={Link} to="/threats" search={{ tab: "feeds" } as never} variant="default">To the feeds</Button>}>Load the feeds attack and ctid, then the matrix shows where your findings lead.</Empty>;
  const clear = () => choose({ q: "", mine: false });
  return (
    <div className="threats-stack">
      <Says techniques={exposure.data.techniques} />
      <Filters chosen={chosen} choose={choose} />
      {columns.length === 0 ? (
        <Empty title={chosen.q ? "No technique is called that" : "None of your open findings leads to a technique"} action={<Button variant="default" onClick={clear}>Show the whole matrix</Button>}>{chosen.q ? undefined : "Only confirmed findings with a CVE are mapped."}</Empty>
      ) : (
        <Grid key={`${chosen.q} ${chosen.mine}`} columns={columns} unfolded={new Set(chosen.unfolded)} set={(unfolded) => choose({ unfolded }, { replace: true })} />
      )}
      <p className="dim">Source: MITRE ATT&CK, enterprise. A finding leads to a technique by what CTID published of its CVE, or by rules from weakness and CVSS vector. {exposure.data.notices.map((n) => <span key={n}><Inert text={n} /> </span>)}</p>
    </div>
  );
}

const words: [string, string][] = [["act", "Act"], ["attend", "Attend"], ["plan", "Plan"], ["track", "Track"], ["undecided", "Undecided"], ["none", "None of yours"]];

function Says({ techniques }: { techniques: readonly Exposed[] }) {
  const tally = tallied(techniques);
  const touched = techniques.length - (tally.none ?? 0);
  return (
    <div className="threats-legend">
      <p className="threats-says"><strong>{count(touched, "technique")}</strong> of {techniques.length.toLocaleString()}, with sub-techniques: there your open findings lead.</p>
      <ul aria-label="Colours: the most urgent decision of your findings">
        {words.filter(([w]) => w !== "undecided" || tally[w]).map(([w, name]) => (
          <li key={w}><span className="threats-key" data-decision={w} aria-hidden="true" />{name} <span className="dim num">{(tally[w] ?? 0).toLocaleString()}</span></li>
        ))}
      </ul>
    </div>
  );
}

function Filters({ chosen, choose }: { chosen: Chosen; choose: Choose }) {
  const search = useDebouncedCallback((q: string) => choose({ q }, { replace: true }), 200);
  return (
    <div className="threats-filters" role="search" aria-label="Techniques">
      <TextInput
        key={chosen.q === "" ? "empty" : "set"} autoFocus={chosen.q !== ""} className="threats-grow" type="search" aria-label="Name or number of a technique" placeholder="Name or number …" leftSection={<IconSearch size={15} aria-hidden="true" />}
        defaultValue={chosen.q} onChange={(e) => search(e.currentTarget.value)}
      />
      <Switch label="Only mine" checked={chosen.mine} onChange={(e) => choose({ mine: e.currentTarget.checked })} />
      {chosen.unfolded.length > 0 && <Button variant="subtle" size="xs" onClick={() => choose({ unfolded: [] })}>Fold all</Button>}
    </div>
  );
}

/** Grid moves by arrow keys from technique to technique: one stop of the tab key, not seven hundred. */
function Grid({ columns, unfolded, set }: { columns: Column[]; unfolded: Set<string>; set: (unfolded: string[]) => void }) {
  const narrow = useMediaQuery("(max-width: 860px)") ?? false;
  const navigate = useNavigate();
  const [at, setAt] = useState<Place>(() => firstOf(columns));
  const root = useRef<HTMLDivElement>(null);
  const lines = columns.map((c) => linesOf(c, unfolded));
  const turn = (id: string) => {
    const next = new Set(unfolded);
    if (!next.delete(id)) next.add(id);
    set([...next]);
  };
  const onKey = (e: React.KeyboardEvent) => {
    const place = placeOf(e.target as HTMLElement);
    if (!place || e.ctrlKey || e.metaKey || e.altKey) return;
    const id = lines[place.column]?.[place.line];
    if ((e.key === " " || e.key === "+" || e.key === "-") && id && columns[place.column]!.cells.some((c) => c.technique.id === id && c.subs.length > 0)) {
      e.preventDefault();
      return turn(id);
    }
    if (e.key === "Enter" && id && !(e.target instanceof HTMLButtonElement)) {
      e.preventDefault();
      return void navigate({ to: "/threats/$id", params: { id } });
    }
    const next = moved(lines.map((l) => l.length), place, e.key);
    if (!next) return;
    e.preventDefault();
    setAt(next);
    root.current?.querySelector<HTMLElement>(`[data-place="${next.column}.${next.line}"]`)?.focus();
  };
  return (
    <Panel flush>
      <p className="threats-note">Arrow keys move, Enter opens a technique, Space shows its sub-techniques.</p>
      <div className={narrow ? "threats-matrix threats-matrix-list" : "threats-matrix"} ref={root} onKeyDown={onKey} style={narrow ? undefined : { gridTemplateColumns: `repeat(${columns.length}, minmax(${columns.length > 8 ? 130 : 160}px, 1fr))` }}>
        {columns.map((column, c) => <Tactic key={column.tactic.id} column={column} c={c} narrow={narrow} at={at} lines={lines[c]!} unfolded={unfolded} turn={turn} />)}
      </div>
    </Panel>
  );
}

/** firstOf is where the tab key comes in: the first technique of one's own. */
function firstOf(columns: Column[]): Place {
  const column = Math.max(0, columns.findIndex((c) => c.mine > 0));
  return { column, line: 0 };
}

function placeOf(target: HTMLElement): Place | null {
  const found = target.closest<HTMLElement>("[data-place]")?.dataset.place?.split(".").map(Number);
  return found ? { column: found[0]!, line: found[1]! } : null;
}

type TacticProps = { column: Column; c: number; narrow: boolean; at: Place; lines: string[]; unfolded: Set<string>; turn: (id: string) => void };

function Tactic({ column, c, narrow, at, lines, unfolded, turn }: TacticProps) {
  const [open, setOpen] = useState(column.mine > 0);
  const id = `tactic-${column.tactic.id}`;
  const head = <>{column.tactic.name}<span className="dim num">{column.mine > 0 ? `${column.mine.toLocaleString()} of ${column.cells.length.toLocaleString()}` : column.cells.length.toLocaleString()}<span className="sr"> techniques{column.mine > 0 && " lead from your findings"}</span></span></>;
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="threats-tactic">
        {narrow ? <UnstyledButton aria-expanded={open} onClick={() => setOpen(!open)}>{open ? <IconChevronDown size={15} aria-hidden="true" /> : <IconChevronRight size={15} aria-hidden="true" />}{head}</UnstyledButton> : head}
      </h2>
      {(!narrow || open) && (
        <ul>
          {column.cells.map((cell) => <Technique key={cell.technique.id} cell={cell} c={c} at={at} lines={lines} open={unfolded.has(cell.technique.id)} turn={turn} />)}
        </ul>
      )}
    </section>
  );
}

function Technique({ cell, c, at, lines, open, turn }: { cell: Cell; c: number; at: Place; lines: string[]; open: boolean; turn: (id: string) => void }) {
  const { technique: t, subs, touched } = cell;
  return (
    <li>
      <div className="threats-cell" data-decision={cell.mine ? (t.decision ?? "undecided") : undefined}>
        <One t={t} c={c} at={at} line={lines.indexOf(t.id)} />
        {subs.length > 0 && (
          <UnstyledButton className="threats-fold" tabIndex={-1} onClick={() => turn(t.id)} aria-expanded={open} aria-label={`${count(cell.within, "sub-technique")} of ${t.name ?? t.id}${touched > 0 ? `, ${touched} of them yours` : ""}`} title={`${count(cell.within, "sub-technique")}${touched > 0 ? `, ${touched} of them yours` : ""}`}>
            {open ? <IconChevronDown size={12} aria-hidden="true" /> : <IconChevronRight size={12} aria-hidden="true" />}
            <span className="num" aria-hidden="true">{touched > 0 ? `${touched}/${cell.within}` : cell.within}</span>
          </UnstyledButton>
        )}
      </div>
      {open && (
        <ul className="threats-subs">
          {subs.map((s) => <li key={s.id}><div className="threats-cell" data-decision={s.findings > 0 ? (s.decision ?? "undecided") : undefined}><One t={s} c={c} at={at} line={lines.indexOf(s.id)} /></div></li>)}
        </ul>
      )}
    </li>
  );
}

function One({ t, c, at, line }: { t: Exposed; c: number; at: Place; line: number }) {
  const here = at.column === c && at.line === line;
  const says = t.findings > 0 ? `${count(t.findings, "finding")} on ${count(t.hosts, "host")}${t.kev ? `, ${t.kev} known to be exploited` : ""}${t.decision ? `, most urgent: ${t.decision}` : ""}` : "none of your findings";
  return (
    <Link to="/threats/$id" params={{ id: t.id }} data-place={`${c}.${line}`} tabIndex={here ? 0 : -1} title={`${t.id}: ${says}`} preload={false}>
      <Inert text={t.name ?? t.id} />
      {t.findings > 0 && <span className="threats-number num" aria-hidden="true">{count(t.findings, "finding")}{t.kev ? ", KEV" : ""}</span>}
      <span className="sr">{t.id}, {says}</span>
    </Link>
  );
}
