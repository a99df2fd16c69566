// The path as a picture: a box for what he gets, a line for how. What is drawn is said in the steps below it, too.
import { IconCrown, IconDoorEnter, IconServer2 } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

import { Inert, plain } from "../../ui/inert";
import { percent } from "../../ui/numbers";
import { drawingOf, type Box } from "./draw";
import { isFixed } from "./fixing";
import { chanceOf, knownOf, type Hop } from "./hops";
import type { Path } from "./kinds";
import type { Look } from "./Ways";
import { knownWords } from "./words";

/** useWidth is the width of an element, and how large a letter is. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, rem: 16 });
  useEffect(() => {
    const look = new ResizeObserver(([seen]) => setSize({ width: Math.floor(seen!.contentRect.width), rem: parseFloat(getComputedStyle(document.documentElement).fontSize) || 16 }));
    look.observe(box.current!);
    return () => look.disconnect();
  }, []);
  return { box, ...size };
}

const at = (b: Box) => ({ left: b.x, top: b.y, width: b.w, height: b.h });

export function Drawn({ path, hops, look }: { path: Path; hops: Hop[]; look: Look }) {
  const { box, width, rem } = useWidth();
  const drawing = width > 0 ? drawingOf(hops, width, rem) : null;
  const chosen = look.chosen.step;
  const show = (hop: Hop) => {
    look.choose({ step: hop.act.n }, true);
    document.getElementById(`path-hop-${hop.at}`)?.scrollIntoView({ block: "nearest" });
  };
  const says = [path.from, ...hops.map((h) => h.host?.name ?? h.act.gains)].join(", then ");
  return (
    <div className="pa-drawn" data-down={drawing?.down || undefined} role="group" aria-label={`The path drawn: ${plain(says)}`}>
      <div ref={box} className="pa-canvas" style={{ height: drawing?.height ?? 120 }}>
        {drawing && (
          <>
            <svg width={drawing.width} height={drawing.height} aria-hidden="true">
              <defs>
                <marker id="pa-head" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.6 7.4 4 0 7.4z" className="pa-tip" /></marker>
              </defs>
              {drawing.lines.map((l) => {
                const hop = hops[l.to - 1]!;
                return <path key={`${l.from}-${l.to}`} d={l.d} className="pa-line" data-known={knownOf(hop)} data-cut={isFixed(hop.act, look.ticks) || undefined} data-on={isChosen(hop, chosen) || undefined} markerEnd="url(#pa-head)" />;
              })}
            </svg>
            <div className="pa-box pa-entry" style={at(drawing.boxes[0]!)}><IconDoorEnter className="pa-box-icon" size={16} stroke={1.6} aria-hidden="true" /><span className="pa-box-words"><b className="cut"><Inert text={path.from} /></b></span></div>
            {hops.map((h) => <How key={`w${h.at}`} hop={h} box={drawing.words[h.at - 1]!} cut={isFixed(h.act, look.ticks)} show={show} />)}
            {hops.map((h) => <Node key={`n${h.at}`} hop={h} box={drawing.boxes[h.at]!} goal={h.host?.id === path.to.id} on={isChosen(h, chosen)} show={show} />)}
          </>
        )}
      </div>
      <Legend hops={hops} />
    </div>
  );
}

const isChosen = (hop: Hop, step: number) => step > 0 && (hop.act.n === step || hop.ways.some((w) => w.n === step));

function Node({ hop, box, goal, on, show }: { hop: Hop; box: Box; goal: boolean; on: boolean; show: (hop: Hop) => void }) {
  const name = hop.host?.name ?? hop.act.gains;
  const under = [hop.privilege, hop.host?.site].filter(Boolean).join(", ");
  return (
    <button type="button" className="pa-box" style={at(box)} data-goal={goal || undefined} data-on={on || undefined} onClick={() => show(hop)} title={plain(`${name}: ${hop.act.gains}`)}>
      {goal ? <IconCrown size={16} stroke={1.6} aria-label="the goal" /> : <IconServer2 className="pa-box-icon" size={16} stroke={1.6} aria-hidden="true" />}
      <span className="pa-box-words"><b className="cut"><Inert text={name} /></b>{under && <span className="dim cut"><Inert text={under} /></span>}</span>
    </button>
  );
}

const verbs: Record<string, string> = { logs_in: "logs in", reuse: "reused login", same_host: "the same host", moves: "moves", enters: "enters", implies: "gets it too", step: "step" };

function How({ hop, box, cut, show }: { hop: Hop; box: Box; cut: boolean; show: (hop: Hop) => void }) {
  const { act } = hop;
  const name = act.weakness ?? verbs[act.kind] ?? act.kind;
  const more = act.alternatives.length;
  return (
    <button type="button" className="pa-how" style={at(box)} data-cut={cut || undefined} onClick={() => show(hop)} title={plain(`Step ${act.n}: ${act.says}`)}>
      <span className="pa-how-name"><span className="cut"><Inert text={name} /></span>{more > 0 && <span className="dim" title={`${more} more do the same`}>+{more}</span>}</span>
      <span className="pa-how-facts"><b className="num">{cut ? "fixed" : percent(chanceOf(hop))}</b> <span className="dim">{knownWords[knownOf(hop)]?.word}</span></span>
    </button>
  );
}

/** Legend explains the lines that are there. */
function Legend({ hops }: { hops: Hop[] }) {
  const there = ["observed", "policy", "assumed"].filter((k) => hops.some((h) => knownOf(h) === k));
  return (
    <ul className="pa-legend" aria-label="What the lines mean">
      {there.map((k) => <li key={k}><svg width="26" height="8" aria-hidden="true"><path d="M0 4H26" className="pa-line" data-known={k} /></svg>{knownWords[k]!.word}: {knownWords[k]!.says}</li>)}
    </ul>
  );
}
