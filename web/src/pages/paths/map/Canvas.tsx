// The picture of the map. It says nothing that the list beside it does not say too, and where it cannot be drawn, that is said.
import { ActionIcon, Button } from "@mantine/core";
import { IconFocusCentered, IconMinus, IconPlus } from "@tabler/icons-react";
import { useEffect, useRef, useState, type RefObject } from "react";

import { Inert } from "../../../ui/inert";
import { count, percent } from "../../../ui/numbers";
import { Loading } from "../../../ui/states";
import type { Look, Picture, Scene } from "./draw";
import type { PathNode } from "./kinds";
import { Legend } from "./Legend";
import { likeOf, nameOf, privilegeWord } from "./words";

type Props = { scene: Scene; look: Look; nodes: ReadonlyMap<string, PathNode>; findings: (id: string) => number; pick: (id: string) => void; over: (id: string) => void; picture: RefObject<Picture | null>; shape: (aspect: number) => void };
type State = "waits" | "there" | "cannot" | "lost" | "broken";

const troubles: Partial<Record<State, string>> = {
  cannot: "This browser draws no pictures by its graphics card (WebGL is off or missing). The list has everything that the map would show.",
  lost: "The browser took the graphics card away, and the map with it. The list has everything that it showed.",
  broken: "The part of the page that draws the map could not be loaded. The list has everything that it would show.",
};

export function Canvas(props: Props) {
  const { scene, look, picture } = props;
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<State>("waits");
  const [again, setAgain] = useState(0);
  const [card, setCard] = useState<{ id: string; x: number; y: number } | null>(null);
  const now = useRef(props);
  useEffect(() => {
    now.current = props;
  });
  useEffect(() => {
    const box = place.current!;
    now.current.shape(box.clientWidth / Math.max(1, box.clientHeight));
    let left = false;
    setState("waits");
    import("./draw").then(
      ({ draw, canDraw }) => {
        if (left) return;
        if (!canDraw()) return setState("cannot");
        picture.current = draw(box, now.current.scene, {
          over: (id, x, y) => { setCard(id ? { id, x, y } : null); now.current.over(id); },
          pick: (id) => now.current.pick(id),
          lost: () => { picture.current?.end(); picture.current = null; setState("lost"); setCard(null); },
        });
        picture.current.look(now.current.look);
        setState("there");
      },
      () => setState("broken"),
    );
    return () => {
      left = true;
      picture.current?.end();
      picture.current = null;
    };
  }, [again, picture]);
  useEffect(() => picture.current?.show(scene), [scene, state, picture]);
  useEffect(() => picture.current?.look(look), [look, state, picture]);
  const trouble = troubles[state];
  return (
    <div className="pm-picture">
      <div className="pm-stage">
        <div ref={place} className="pm-canvas" aria-hidden="true" data-state={state} />
        {state === "waits" && <div className="pm-wait"><Loading rows={6} label="Drawing the map" /></div>}
        {trouble && <div className="pm-trouble" role="status"><p>{trouble}</p>{state !== "cannot" && <Button variant="default" size="compact-sm" onClick={() => setAgain(again + 1)}>Draw it again</Button>}</div>}
        {state === "there" && <Tools picture={picture} />}
        {card && <Card at={card} node={props.nodes.get(card.id)} findings={props.findings(card.id)} stage={place.current} />}
      </div>
      <Legend />
    </div>
  );
}

function Tools({ picture }: { picture: RefObject<Picture | null> }) {
  const tool = { variant: "default", size: 30 } as const;
  return (
    <div className="pm-tools" role="group" aria-label="The map">
      <ActionIcon {...tool} aria-label="Nearer" title="Nearer" onClick={() => picture.current?.zoom(1.6)}><IconPlus size={16} /></ActionIcon>
      <ActionIcon {...tool} aria-label="Farther" title="Farther" onClick={() => picture.current?.zoom(1 / 1.6)}><IconMinus size={16} /></ActionIcon>
      <ActionIcon {...tool} aria-label="The whole map" title="The whole map" onClick={() => picture.current?.whole()}><IconFocusCentered size={16} /></ActionIcon>
    </div>
  );
}

/** Card says what is under the pointer; all of it, and more, stands in the panel. */
function Card({ at, node, findings, stage }: { at: { x: number; y: number }; node: PathNode | undefined; findings: number; stage: HTMLElement | null }) {
  if (!node) return null;
  const right = at.x > (stage?.clientWidth ?? 0) - 250, low = at.y > (stage?.clientHeight ?? 0) - 130;
  return (
    <div className="pm-card" aria-hidden="true" style={{ left: right ? at.x - 244 : at.x + 14, top: low ? at.y - 104 : at.y + 14 }}>
      <strong><Inert text={node.kind === "group" ? `${nameOf(node)}, such as ${likeOf(node)}` : node.name} /></strong>
      {node.jewel && <span>a jewel</span>}
      {node.kind === "entry" && <span>where the attacker begins</span>}
      {node.kind === "site" && <span>site, {count(node.hosts, "host")}</span>}
      {(node.kind === "host" || node.kind === "group") && (
        <>
          <span className="dim">site <Inert text={node.site} /></span>
          <span>{node.reached ? <>falls by {percent(node.chance)}; the attacker is {privilegeWord(node.privilege)}</> : "not reached"}</span>
          {findings > 0 && <span className="dim">{count(findings, "finding")} let{findings === 1 ? "s" : ""} him in</span>}
        </>
      )}
    </div>
  );
}
