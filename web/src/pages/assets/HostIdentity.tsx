// By what a host is known again.
import type { Schema } from "../../api/client";
import { Inert } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import type { Detail } from "./Host";

const kinds: Record<string, string> = { address: "Address", name: "Name", mac: "MAC", "ssh-key": "SSH host key" };

export type Known = { kind: string; value: string; strong: boolean; sources: string[]; last_seen: string };

/** knownBy folds what several scanners told into one line per fact, the newest moment of each. */
export function knownBy(identifiers: Schema<"HostIdentifier">[]): Known[] {
  const found = new Map<string, Known>();
  for (const i of identifiers) {
    const key = i.kind + "\n" + i.value;
    const old = found.get(key) ?? { kind: i.kind, value: i.value, strong: i.strong, sources: [], last_seen: i.last_seen };
    if (i.source && !old.sources.includes(i.source)) old.sources.push(i.source);
    if (i.last_seen > old.last_seen) old.last_seen = i.last_seen;
    found.set(key, old);
  }
  return [...found.values()];
}

/** Identity is that list, with who said it and when last. */
export function Identity({ host }: { host: Detail }) {
  const known = knownBy(host.identifiers);
  return (
    <Panel title="How it is known again" flush>
      <ul className="host-lines">
        {known.map((k) => (
          <li key={k.kind + k.value}>
            <span className="dim">{kinds[k.kind] ?? k.kind}</span> <Inert text={k.value} mono /> {k.strong && <Chip tone="good" title="two different ones at one address are two hosts">strong</Chip>}
            <div className="dim host-small">{k.sources.length > 0 && <>by <Inert text={k.sources.join(", ")} />, </>}last <When at={k.last_seen} /></div>
          </li>
        ))}
      </ul>
      <p className="dim host-small host-foot">In its site an address finds the host. {known.some((k) => k.strong) ? "A strong fact that contradicts makes it another host." : "Nothing strong (SSH host key, MAC) is known: if the address moves, join or split by hand."}</p>
    </Panel>
  );
}
