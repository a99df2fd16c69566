// The same as the map, as a list: for keys, for screen readers, and where no map can be drawn. Arrows move through it, Enter opens.
import { useVirtualizer } from "@tanstack/react-virtual";
import { IconCrown, IconDoorEnter, IconServer2, IconStack2, IconTopologyStar3 } from "@tabler/icons-react";
import { useEffect, useRef, type KeyboardEvent } from "react";

import { Inert } from "../../../ui/inert";
import type { PathNode } from "./kinds";
import { besides, likeOf, nameOf, stands } from "./words";

type Props = { nodes: readonly PathNode[]; active: string; open: string; move: (id: string) => void; pick: (id: string) => void };

const icons = { entry: IconDoorEnter, site: IconTopologyStar3, host: IconServer2, group: IconStack2 } as const;
const idOf = (i: number) => `pm-node-${i}`;
const page = 10;

export function NodeList({ nodes, active, open, move, pick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const lines = useVirtualizer({ count: nodes.length, getScrollElement: () => box.current, estimateSize: () => 40, overscan: 8, getItemKey: (i) => nodes[i]!.id, useFlushSync: false });
  const at = nodes.findIndex((n) => n.id === active);
  useEffect(() => {
    if (at >= 0) lines.scrollToIndex(at, { align: "auto" });
  }, [at, lines]);
  const onKey = (e: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1, PageDown: at + page, PageUp: at - page }[e.key];
    if (to !== undefined) move(nodes[Math.max(0, Math.min(nodes.length - 1, to))]?.id ?? "");
    else if ((e.key === "Enter" || e.key === " ") && at >= 0) pick(nodes[at]!.id);
    else return;
    e.preventDefault();
  };
  if (nodes.length === 0) return <p className="pm-none dim">Nothing on the map is called that.</p>;
  return (
    <div
      ref={box} className="pm-list" role="listbox" tabIndex={0} aria-label="Everything on the map" aria-activedescendant={at >= 0 ? idOf(at) : undefined}
      onKeyDown={onKey} onFocus={() => { if (at < 0) move(nodes[0]!.id); }}
    >
      <div role="presentation" style={{ height: lines.getTotalSize(), position: "relative" }}>
        {lines.getVirtualItems().map((line) => {
          const n = nodes[line.index]!;
          return <Option key={line.key} node={n} id={idOf(line.index)} at={[line.index + 1, nodes.length]} top={line.start} on={n.id === active} open={n.id === open} pick={() => pick(n.id)} />;
        })}
      </div>
    </div>
  );
}

function Option({ node, id, at, top, on, open, pick }: { node: PathNode; id: string; at: [number, number]; top: number; on: boolean; open: boolean; pick: () => void }) {
  const Icon = node.jewel ? IconCrown : icons[node.kind];
  return (
    <div id={id} role="option" aria-selected={open} aria-setsize={at[1]} aria-posinset={at[0]} className="pm-option" data-kind={node.kind} data-on={on || undefined} data-way={node.on_path || undefined} style={{ transform: `translateY(${top}px)` }} onClick={pick}>
      <Icon size={15} stroke={1.6} aria-hidden="true" />
      <span className="pm-option-words">
        <span className="cut"><Inert text={nameOf(node)} />{node.kind === "group" && <span className="dim"> <Inert text={likeOf(node)} /> …</span>}</span>
        <span className="dim cut">{stands(node)}<span className="sr"><Inert text={besides(node)} /></span></span>
      </span>
      {node.reached && (node.kind === "host" || node.kind === "group") && <span className="pm-meter"><span style={{ width: `${Math.max(4, 100 * node.chance)}%` }} /></span>}
    </div>
  );
}
