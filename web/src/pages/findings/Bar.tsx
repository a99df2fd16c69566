// The calm line above the table: what is looked for, what is most often chosen, and everything that is chosen, in words.
import { Button, CloseButton, Menu, TextInput } from "@mantine/core";
import { IconChevronDown, IconPlus, IconSearch, IconX } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import { plain } from "../../ui/inert";
import { fieldOf, inWords, optionWord, type Filter, type FilterName } from "./fields";
import { names } from "./search";

const Editor = lazy(() => import("./Editor").then((m) => ({ default: m.Editor })));

type Change = (change: Partial<Filter>) => void;

const wait = 50; // ms after the last key before the list is asked: a word is typed, not four lists

function SearchBox({ value, change }: { value: string; change: Change }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      change({ search: text || undefined });
    }, wait);
    return () => clearTimeout(timer);
  }, [text, change]);
  return (
    <TextInput
      id="findings-search" className="fi-search" value={text} onChange={(e) => setText(e.currentTarget.value)} placeholder="Title, CVE, package, service or host" aria-label="Search findings" autoComplete="off" spellCheck={false} maxLength={500}
      leftSection={<IconSearch size={15} aria-hidden="true" />} rightSection={text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => setText("")} /> : null}
      onKeyDown={(e) => { if (e.key === "Escape") { e.stopPropagation(); if (text) setText(""); else e.currentTarget.blur(); } }}
    />
  );
}

function Toggle({ on, children, onClick, title }: { on: boolean; children: string; onClick: () => void; title?: string }) {
  return <button type="button" className="fi-toggle" aria-pressed={on} onClick={onClick} title={title}>{children}</button>;
}

/** Choice is a menu of values of which several, or one, may be chosen. */
function Choice({ name, filter, change }: { name: FilterName; filter: Filter; change: Change }) {
  const field = fieldOf(name);
  if (!field || (field.kind !== "some" && field.kind !== "one")) return null;
  const value = filter[name];
  const chosen = Array.isArray(value) ? value : value === undefined ? [] : [String(value)];
  const set = (option: string) => {
    if (field.kind === "one") return change({ [name]: chosen.includes(option) ? undefined : option });
    const next = field.options.filter((o) => (o === option) !== chosen.includes(o));
    change({ [name]: next.length > 0 ? next : undefined });
  };
  const words = chosen.length === 0 ? field.label : chosen.length > 2 ? `${field.label}: ${chosen.length}` : chosen.map((c) => optionWord(field, c)).join(", ");
  return (
    <Menu shadow="md" position="bottom-start" width={200} closeOnItemClick={field.kind === "one"}>
      <Menu.Target>
        <button type="button" className="fi-toggle" data-on={chosen.length > 0 || undefined} aria-label={chosen.length > 0 ? `${field.label}: ${words}` : field.label}>
          {words}
          <IconChevronDown size={13} aria-hidden="true" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {field.options.map((o) =>
          field.kind === "one" ? (
            <Menu.RadioItem key={o} value={o} checked={chosen.includes(o)} closeMenuOnClick onClick={() => set(o)}>{optionWord(field, o)}</Menu.RadioItem>
          ) : (
            <Menu.CheckboxItem key={o} checked={chosen.includes(o)} onChange={() => set(o)}>{optionWord(field, o)}</Menu.CheckboxItem>
          ),
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

const quick: readonly FilterName[] = ["search", "severity", "kev", "state"];

/** Bar changes the filter; every change stands in the address at once. */
export function Bar({ filter, change, clear }: { filter: Filter; change: Change; clear: () => void }) {
  const [adding, setAdding] = useState<FilterName | "new" | null>(null);
  const decisions = filter.decision ?? [];
  const decide = (d: (typeof decisions)[number]) => {
    const next = (["act", "attend", "plan", "track"] as const).filter((o) => (o === d) !== decisions.includes(o));
    change({ decision: next.length > 0 ? next : undefined });
  };
  const chips = names.filter((n) => filter[n] !== undefined && !quick.includes(n) && n !== "decision" && !(n === "confirmed" && filter.confirmed));
  return (
    <div className="fi-filter" role="search" aria-label="Filter findings">
      <div className="fi-bar">
        <SearchBox value={filter.search ?? ""} change={change} />
        <div className="fi-quick" role="group" aria-label="Decision">
          <Toggle on={decisions.includes("act")} onClick={() => decide("act")} title="Fix within 3 days">Act</Toggle>
          <Toggle on={decisions.includes("attend")} onClick={() => decide("attend")} title="Fix within 14 days">Attend</Toggle>
          <Toggle on={decisions.includes("plan")} onClick={() => decide("plan")} title="Fix within 60 days">Plan</Toggle>
          <Toggle on={decisions.includes("track")} onClick={() => decide("track")} title="With the next upgrade">Track</Toggle>
        </div>
        <Toggle on={filter.kev === true} onClick={() => change({ kev: filter.kev ? undefined : true })} title="Only what CISA knows to be exploited">Known exploited</Toggle>
        <Choice name="severity" filter={filter} change={change} />
        <Choice name="state" filter={filter} change={change} />
        <div className="fi-add">
          <Button variant="subtle" size="compact-sm" leftSection={<IconPlus size={14} aria-hidden="true" />} onClick={() => setAdding(adding ? null : "new")} aria-expanded={adding !== null} aria-haspopup="dialog">Filter</Button>
          {adding && (
            <Suspense>
              <Editor filter={filter} change={change} first={adding === "new" ? null : adding} close={() => setAdding(null)} />
            </Suspense>
          )}
        </div>
      </div>
      {chips.length > 0 && (
        <ul className="fi-chips" aria-label="Filters">
          {chips.map((n) => (
            <li key={n}>
              <button type="button" onClick={() => (fieldOf(n)?.kind === "yes" ? undefined : setAdding(n))} className="fi-chip" title={plain(inWords(n, filter))} data-still={fieldOf(n)?.kind === "yes" || undefined}>{plain(inWords(n, filter))}</button>
              <button type="button" className="fi-chip-off" onClick={() => change({ [n]: undefined })} aria-label={`Remove the filter ${plain(inWords(n, filter))}`}><IconX size={12} aria-hidden="true" /></button>
            </li>
          ))}
          <li><Button variant="subtle" color="gray" size="compact-xs" onClick={clear}>Clear all</Button></li>
        </ul>
      )}
    </div>
  );
}
