// The records that an answer rests on, as cards that open them.
import { IconArrowUpRight, IconBooks, IconBug, IconDatabaseImport, IconFileText, IconFingerprint, IconListDetails, IconMapPin, IconPackage, IconPlug, IconRadar2, IconRoute, IconRss, IconServer2, IconTargetArrow, IconTool, type Icon } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useState, type ReactNode, type Ref } from "react";

import { base } from "../../api/client";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { When } from "../../ui/when";
import type { Source } from "./kinds";
import { insideOf, isPage, nameOf } from "./words";

const icons: Record<string, Icon> = {
  cve: IconBooks, finding: IconBug, host: IconServer2, service: IconPlug, software: IconPackage, site: IconMapPin, technique: IconTargetArrow, weakness: IconBug, indicator: IconFingerprint,
  scan: IconRadar2, import: IconDatabaseImport, feed: IconRss, catalogue: IconBooks, path: IconRoute, fix: IconTool, list: IconListDetails, doc: IconFileText,
};
const kinds: Record<string, string> = { cve: "CVE", doc: "Documentation", list: "List", path: "Attack path", import: "Import" };

export const kindWord = (kind: string) => kinds[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1);

export function SourceIcon({ kind }: { kind: string }) {
  const Shape = icons[kind] ?? IconFileText;
  return <Shape size={15} stroke={1.7} aria-hidden="true" />;
}

type Ways = { url: string | null | undefined; className?: string; label?: string; children: ReactNode; ref?: Ref<HTMLAnchorElement> };

/** Opens is a link to an address that the server named. One that does not lead into this server is no link. */
export function Opens({ url, label, children, ...rest }: Ways) {
  const router = useRouter();
  const to = insideOf(url);
  if (!to) return <span {...(rest as object)} tabIndex={rest.className === "ask-cite" ? 0 : undefined} role={label ? "img" : undefined} aria-label={label}>{children}</span>;
  const whole = new URL(to.slice(1), base);
  const page = isPage(to);
  const go = (e: React.MouseEvent) => {
    if (!page || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    router.history.push(whole.pathname + whole.search + whole.hash);
  };
  return <a {...rest} href={whole.href} aria-label={label} onClick={go} target={page ? undefined : "_blank"} rel={page ? undefined : "noreferrer"}>{children}</a>;
}

const few = 3;

/** Sources shows the first of them, and all when asked. */
export function Sources({ sources }: { sources: Source[] }) {
  const [all, setAll] = useState(false);
  if (sources.length === 0) return null;
  const shown = all ? sources : sources.slice(0, few);
  return (
    <section className="ask-sources" aria-label={count(sources.length, "source")}>
      <ol>{shown.map((s) => <Card key={s.n} source={s} />)}</ol>
      {sources.length > few && <button type="button" className="ask-link" aria-expanded={all} onClick={() => setAll(!all)}>{all ? "Fewer sources" : `All ${count(sources.length, "source")}`}</button>}
    </section>
  );
}

function Card({ source }: { source: Source }) {
  return (
    <li className="ask-card">
      <Opens url={source.url} className="ask-card-link">
        <span className="ask-card-head"><span className="ask-card-n">{source.n}</span><SourceIcon kind={source.kind} /><b className="cut"><Inert text={nameOf(source)} /></b>{insideOf(source.url) && <IconArrowUpRight className="ask-card-go" size={14} aria-hidden="true" />}</span>
        {source.text && <span className="ask-card-text"><Inert text={source.text} /></span>}
        <span className="ask-card-foot"><span>{kindWord(source.kind)}</span>{source.from && <span><Inert text={source.from} /></span>}{source.at && <When at={source.at} />}</span>
      </Opens>
    </li>
  );
}
