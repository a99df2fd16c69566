// Before the first question: what to ask, made from the asker's own data, and what to expect.
import { useQuery } from "@tanstack/react-query";

import { Inert } from "../../ui/inert";
import { Loading } from "../../ui/states";
import { state, suggestions } from "./ask";
import type { About, State } from "./kinds";
import { Line, usePast } from "./Past";

/** useAssistant is how the assistant is set up. */
export const useAssistant = () => useQuery({ queryKey: ["ask-state"], queryFn: ({ signal }) => state(signal), staleTime: 60_000 });

type Props = { about: About | null; put: (question: string) => void; open?: (session: string) => void; small?: boolean };

export function Begin({ about, put, open, small }: Props) {
  const offered = useQuery({ queryKey: ["ask", "suggestions", about], queryFn: ({ signal }) => suggestions(about, signal), staleTime: 60_000 });
  const set = useAssistant();
  const list = offered.data?.items.slice(0, small ? 5 : 8) ?? [];
  return (
    <div className="ask-begin" data-small={small || undefined}>
      {!small && <h2>What do you want to know?</h2>}
      <p className="dim">{small ? "Answered from your own data and the catalogue, with the records behind each answer." : <>It answers from your findings, hosts and scans and from the catalogue, and names the records behind each answer. What they do not say it does not know. It changes nothing. {set.data && madeBy(set.data)}</>}</p>
      {offered.isPending ? <Loading rows={3} height={30} label="Loading suggestions" /> : list.length > 0 && (
        <section aria-label="Suggested questions">
          <h3>{about ? "About what you look at" : "From your data"}</h3>
          <ul className="ask-offers">{list.map((q) => <li key={q}><button type="button" className="ask-offer" onClick={() => put(q)}><Inert text={q} /></button></li>)}</ul>
        </section>
      )}
      {open && <Lately open={open} />}
    </div>
  );
}

/** madeBy says who words the answers. */
export function madeBy(set: State): string {
  const { model } = set;
  if (!model.name || model.error || model.accepted === false) return "Answers are composed without a language model.";
  return `Answers are worded by ${model.name} and checked against the records.`;
}

function Lately({ open }: { open: (session: string) => void }) {
  const past = usePast();
  const last = past.data?.pages[0]?.items.slice(0, 3) ?? [];
  if (last.length === 0) return null;
  return (
    <section aria-label="Your last conversations" className="ask-lately">
      <h3>Go on with</h3>
      <ul>{last.map((s) => <li key={s.session_id}><Line session={s} open={open} /></li>)}</ul>
    </section>
  );
}
