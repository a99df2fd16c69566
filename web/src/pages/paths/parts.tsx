// Small words of the page: how a step is known, a host with what it is worth, a chance.
import { IconCrown, IconEye, IconFileCheck, IconQuestionMark } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Inert } from "../../ui/inert";
import { percent } from "../../ui/numbers";
import { Chip } from "../../ui/words";
import type { PathHost } from "./kinds";
import { criticalityWord, knownWords } from "./words";

const looks = { observed: { tone: "good", icon: IconEye }, policy: { tone: "low", icon: IconFileCheck }, assumed: { tone: "medium", icon: IconQuestionMark } } as const;

/** Known says on what something rests, with a shape of its own. */
export function Known({ value, title }: { value: string; title?: string }) {
  const look = looks[value as keyof typeof looks] ?? looks.assumed;
  const words = knownWords[value] ?? knownWords.assumed!;
  return <Chip tone={look.tone} title={title ?? words.says} icon={<look.icon size={12} stroke={2.2} aria-hidden="true" />}>{words.word}</Chip>;
}

/** HostName is a host as people know it; link leads to its page. */
export function HostName({ host, link }: { host: PathHost; link?: boolean }) {
  const name = <Inert text={host.name} />;
  return link ? <Link to="/assets/$id" params={{ id: String(host.id) }}>{name}</Link> : name;
}

/** Worth says that a host is a jewel, and how critical it is. */
export function Worth({ host }: { host: PathHost }) {
  const word = criticalityWord(host.criticality);
  if (!host.jewel && !word) return null;
  return (
    <span className="pa-worth" title={[host.jewel && "a jewel", word && `criticality ${word}`].filter(Boolean).join(", ")}>
      {host.jewel && <IconCrown size={13} stroke={1.8} aria-label="jewel" />}
      {word}
    </span>
  );
}

/** Share is a chance as a number with a short bar. */
export function Share({ value, children }: { value: number; children?: ReactNode }) {
  return (
    <span className="pa-share">
      <span className="num">{children ?? percent(value)}</span>
      <span className="pa-share-bar" aria-hidden="true"><span style={{ width: `${Math.max(value > 0 ? 3 : 0, 100 * value)}%` }} /></span>
    </span>
  );
}
