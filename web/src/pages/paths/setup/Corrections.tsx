// What people know better of single steps. It outlives rescans, until somebody takes it back.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { $api, api, type Schema } from "../../../api/client";
import { useMay } from "../../../api/session";
import { Inert, plain } from "../../../ui/inert";
import { percent } from "../../../ui/numbers";
import { Panel } from "../../../ui/page";
import { Empty, Failure, Loading } from "../../../ui/states";
import { When } from "../../../ui/when";
import { Chip } from "../../../ui/words";
import { deed } from "./undo";

type Correction = Schema<"PathCorrection">;

const path = "/api/v1/attack-paths/corrections";

/** verdict is a correction in words. */
export const verdict = (c: Pick<Correction, "says" | "chance">): string => (c.says === "never" ? "never works" : c.says === "always" ? "always works" : `works with ${percent(c.chance ?? 0)}`);

export function Corrections() {
  const may = useMay("analyst");
  const all = $api.useQuery("get", path, {}, { staleTime: 15_000 });
  const list = all.data?.corrections;
  return (
    <Panel title="Corrections" flush>
      <p className="ps-says">What people know better than the rules of single steps. A path's steps have “Correct this”; what is said there is remembered here.</p>
      {all.isError && !list ? <Failure error={all.error} what="the corrections" retry={() => void all.refetch()} /> : !list ? <Loading rows={3} label="Loading corrections" />
        : list.length === 0 ? <Empty title="No step was corrected">Open a <Link to="/paths">path</Link> and say of a step that it never works, always does, or how likely it is.</Empty>
        : <ul className="ps-corrections">{list.map((c) => <One key={c.id} correction={c} may={may} />)}</ul>}
    </Panel>
  );
}

function One({ correction: c, may }: { correction: Correction; may: boolean }) {
  const back = () => api.POST(path, { body: { edge: c.edge, says: c.says, chance: c.chance ?? undefined, note: c.note ?? undefined } });
  const off = () => void deed(() => api.DELETE(`${path}/{id}`, { params: { path: { id: c.id } } }), { done: "The step counts as the rules say again.", failed: "It was not taken back" }, back);
  const finding = /^finding:(\d+)$/.exec(c.edge)?.[1];
  return (
    <li data-stale={c.about === "" || undefined}>
      <div>
        <p>{c.about ? <Inert text={c.about} /> : <Inert text={c.edge} mono />} <Chip tone={c.says === "never" ? "good" : c.says === "always" ? "high" : "low"}>{verdict(c)}</Chip>{c.about === "" && <Chip tone="medium" title="nothing that is known now is called that: it was fixed, closed or removed">about nothing any more</Chip>}</p>
        {c.note && <p><Inert text={c.note} /></p>}
        <p className="dim"><Inert text={c.by} />, <When at={c.at} />{c.about && <>; edge {finding ? <Link to="/findings/$id" params={{ id: finding }}><Inert text={c.edge} mono /></Link> : <Inert text={c.edge} mono />}</>}</p>
      </div>
      {may && <Button variant="subtle" color="gray" size="compact-sm" onClick={off} aria-label={`Take back: ${plain(c.about || c.edge)}`}>Take back</Button>}
    </li>
  );
}
