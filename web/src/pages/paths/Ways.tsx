// The paths of one scenario: how it stands, the ranked list, the path that is open, and what fixes would change.
import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { lazy, Suspense, useMemo } from "react";

import { useChosen } from "../../ui/chosen";
import { count } from "../../ui/numbers";
import { Pick } from "../../ui/pick";
import { Failure, Loading } from "../../ui/states";
import { useFixes, usePaths, useWhatIf } from "./ask";
import { sizeOf, type Ticks } from "./fixing";
import { FixRows } from "./FixRows";
import { Head } from "./Head";
import { Jewels } from "./Jewels";
import { useKeys } from "./keys";
import type { Path, Paths } from "./kinds";
import { NoJewel } from "./NoJewel";
import { Nothing } from "./Nothing";
import { PathRows } from "./PathRows";
import { askOf, joined, limits, repair, views, type Chosen } from "./search";
import { Tray } from "./Tray";
import { goalsOf } from "./words";

const OnePath = lazy(() => import("./OnePath").then((m) => ({ default: m.OnePath })));

/** Choose changes a part of the address. */
export type Choose = (change: Partial<Chosen>, replace?: boolean) => void;

/** Look is what all parts of the page go by. */
export type Look = { chosen: Chosen; choose: Choose; ticks: Ticks; tick: (t: Ticks) => void; gone: ReadonlySet<string> };

function useLook() {
  const [raw, set] = useChosen(repair);
  const text = JSON.stringify(raw);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the text says all of it
  const chosen = useMemo(() => raw, [text]);
  const choose: Choose = ({ from, to, fix, patch, ...rest }, replace) => {
    const lists = Object.fromEntries(Object.entries({ from, to, fix, patch }).filter(([, list]) => list !== undefined).map(([name, list]) => [name, joined(list!)]));
    const plain = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value === defaults[name as keyof typeof defaults] ? undefined : value]));
    set({ ...plain, ...lists } as never, { replace });
  };
  return { chosen, choose };
}

const defaults = repair({});

export function Ways() {
  const { chosen, choose } = useLook();
  const ask = useMemo(() => askOf(chosen), [chosen]);
  const ticks = useMemo(() => ({ fix: chosen.fix, patch: chosen.patch }), [chosen]);
  const paths = usePaths(ask);
  const doc = paths.data;
  if (!doc) return paths.isError ? <Failure error={paths.error} what="the attack paths" retry={() => void paths.refetch()} /> : <Loading rows={9} label="Working out how an attacker would walk" />;
  return (
    <div className="pa-page" aria-busy={paths.isPlaceholderData || undefined}>
      <Head doc={doc} chosen={chosen} choose={choose} busy={paths.isPlaceholderData} />
      {paths.isError && <p className="pa-trouble" role="alert">What is shown is what was known before: the server did not answer this time. <Button variant="subtle" size="compact-sm" onClick={() => void paths.refetch()}>Try again</Button></p>}
      {doc.paths.length === 0 ? <Nothing doc={doc} chosen={chosen} choose={choose} /> : <Full doc={doc} look={{ chosen, choose, ticks }} late={paths.isPlaceholderData} />}
    </div>
  );
}

function Full({ doc, look, late }: { doc: Paths; look: Omit<Look, "tick" | "gone">; late: boolean }) {
  const { chosen, choose, ticks } = look;
  const ask = askOf(chosen);
  const fixes = useFixes(ask, !late);
  const ticked = sizeOf(ticks) > 0;
  const whatIf = useWhatIf(ask, ticks, ticked && !late);
  const answer = ticked ? whatIf.data : undefined;
  const fresh = useMemo(() => answer?.new ?? [], [answer]);
  const gone = useMemo(() => new Set(answer?.gone ?? []), [answer]);
  const whole: Look = { ...look, gone, tick: (t) => choose({ fix: t.fix, patch: t.patch }, true) };
  const rows = useMemo(() => [...doc.paths, ...fresh], [doc, fresh]);
  const open = rows.find((p) => p.id === chosen.path);
  const order = useOrder(rows, chosen.view);
  const covers = useMediaQuery("(max-width: 1100px)", false, { getInitialValueInEffect: false }) && open !== undefined;
  const show = (id: string) => choose({ path: id, step: 0 }, chosen.path !== "" && id !== "");
  useKeys({ order, open: open?.id ?? "", show });
  const at = order.findIndex((p) => p.id === open?.id);
  const goals = goalsOf(doc, chosen.to);
  return (
    <>
      {(goals === "any" || goals === "critical") && <NoJewel />}
      <Bar doc={doc} chosen={chosen} choose={choose} />
      {chosen.path !== "" && !open && !late && <p className="pa-trouble" role="status">The path of this address is not there any more: something on it was fixed or corrected, or others are likelier.</p>}
      <div className="pa-body" data-open={open ? true : undefined} data-late={late || undefined}>
        <section className="pa-list" aria-label="Paths" inert={covers || undefined}>
          {chosen.view === "fixes" && !open ? <FixRows fixes={fixes} look={whole} />
            : chosen.view === "jewels" ? <Jewels doc={doc} look={whole} open={open?.id} goals={goals} fresh={fresh} />
            : <PathRows paths={doc.paths} fresh={fresh} look={whole} open={open?.id} />}
          {doc.totals.paths >= chosen.limit && chosen.limit < limits[limits.length - 1]! && chosen.view !== "fixes" && (
            <p className="pa-more"><Button variant="default" size="compact-sm" onClick={() => choose({ limit: limits.find((l) => l > chosen.limit) }, true)}>More paths</Button> <span className="dim">the {count(doc.paths.length, "likeliest", "likeliest")} are shown</span></p>
          )}
        </section>
        {open && (
          <Suspense fallback={<section className="pa-one" aria-label="Path"><Loading rows={12} /></section>}>
            <OnePath key={open.id} path={open} place={[at + 1, order.length]} look={whole} covers={covers} step={(by) => { const next = order[at + by]; if (next) show(next.id); }} close={() => show("")} />
          </Suspense>
        )}
      </div>
      <Tray doc={doc} fixes={fixes} look={whole} whatIf={whatIf} goals={goals} rows={rows} />
    </>
  );
}

const names = { list: "Most dangerous", jewels: "By jewel", fixes: "Single fixes" } as const;

/** Bar says in which ways the answer can be looked at. */
function Bar({ doc, chosen, choose }: { doc: Paths; chosen: Chosen; choose: Choose }) {
  return (
    <div className="pa-bar">
      <div className="picks" role="group" aria-label="How to look at it">
        {views.map((v) => <Pick key={v} on={chosen.view === v} set={() => choose({ view: v, ...(v === "fixes" ? { path: "", step: 0 } : {}) })}>{names[v]}</Pick>)}
      </div>
      <span className="dim num">{doc.totals.paths === 1 ? "1 path" : `${doc.totals.paths.toLocaleString()} paths, each over other hosts`}</span>
    </div>
  );
}

// The order in which J and K walk is that of the list.
function useOrder(rows: readonly Path[], view: Chosen["view"]): readonly Path[] {
  return useMemo(() => {
    if (view !== "jewels") return rows;
    const jewels = [...new Set(rows.map((p) => p.to.id))];
    return jewels.flatMap((id) => rows.filter((p) => p.to.id === id));
  }, [rows, view]);
}
