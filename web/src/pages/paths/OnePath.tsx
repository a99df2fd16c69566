// One path: in words, drawn from left to right, and hop by hop.
import { ActionIcon } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconX } from "@tabler/icons-react";
import { useEffect, useMemo, useRef } from "react";

import { Inert } from "../../ui/inert";
import { count, percent } from "../../ui/numbers";
import { Chip } from "../../ui/words";
import { hopsOf } from "./hops";
import { Drawn } from "./Drawn";
import type { Path } from "./kinds";
import { HostName, Known, Worth } from "./parts";
import { Steps } from "./Steps";
import type { Look } from "./Ways";

type Props = { path: Path; place: [number, number]; look: Look; covers: boolean; step: (by: number) => void; close: () => void };

export function OnePath({ path, place, look, covers, step, close }: Props) {
  const hops = useMemo(() => hopsOf(path), [path]);
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (covers) {
      box.current?.focus({ preventScroll: true });
      box.current?.scrollIntoView({ block: "start" });
    }
  }, [covers, path.id]);
  const gone = look.gone.has(path.id);
  return (
    <section className="pa-one" aria-label="Path" ref={box} tabIndex={-1}>
      <header className="pa-one-head">
        <h2><span className="dim">From <Inert text={path.from} /> to</span> <HostName host={path.to} link /></h2>
        <div className="pa-one-tools">
          <span className="dim num pa-small">{place[0]} of {place[1]}</span>
          <ActionIcon variant="subtle" color="gray" disabled={place[0] <= 1} onClick={() => step(-1)} aria-label="Path before" title="Path before (K)"><IconChevronUp size={17} aria-hidden="true" /></ActionIcon>
          <ActionIcon variant="subtle" color="gray" disabled={place[0] >= place[1]} onClick={() => step(1)} aria-label="Next path" title="Next path (J)"><IconChevronDown size={17} aria-hidden="true" /></ActionIcon>
          <ActionIcon variant="subtle" color="gray" onClick={close} aria-label="Close" title="Close (Esc)"><IconX size={17} aria-hidden="true" /></ActionIcon>
        </div>
        <div className="pa-sum">
          <strong className="num">{percent(path.chance)}</strong>
          <Worth host={path.to} />
          <Known value={path.known} />
          <span className="dim">{count(path.steps.length, "step")} over {count(path.hosts.length, "host")}</span>
          {gone && <Chip tone="good" title="with the fixes that are ticked">ends with your fixes</Chip>}
        </div>
      </header>
      <Drawn path={path} hops={hops} look={look} />
      <div className="pa-words">
        <p><Inert text={path.says} /></p>
        {path.assumed.length > 0 && (
          <div className="pa-assumed" role="note">
            <b>It rests on {path.assumed.length === 1 ? "an assumption" : `${path.assumed.length} assumptions`}.</b>
            <ul>{path.assumed.map((a, i) => <li key={i}><Inert text={a} /></li>)}</ul>
          </div>
        )}
      </div>
      <Steps path={path} hops={hops} look={look} />
    </section>
  );
}
