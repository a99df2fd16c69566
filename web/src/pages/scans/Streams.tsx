// Findings and hosts as they come: the newest first, and never moving under the eyes of who reads.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactNode } from "react";

import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { KEV, Severity } from "../../ui/words";
import type { Heard } from "./live";
import { held } from "./held";

const most = 200; // lines in the page; the lists behind the links have all

/** useHeld is the list as it was while somebody reads further down or stands in it, and how many came since. */
function useHeld<T>(list: T[]) {
  const [reading, read] = useState(false);
  const [kept, keep] = useState<T[]>(list);
  useEffect(() => { if (!reading) keep(list); }, [list, reading]);
  const shown = reading ? held(kept, list) : { shown: list, waiting: 0 };
  return { ...shown, reading: (now: boolean) => { if (now !== reading) { keep(list); read(now); } }, release: () => { keep(list); read(false); } };
}

function Stream<T>({ list, label, nothing, row }: { list: T[]; label: string; nothing: string; row: (item: T) => ReactNode }) {
  const box = useRef<HTMLUListElement>(null);
  const { shown, waiting, reading, release } = useHeld(list);
  const look = () => reading((box.current?.scrollTop ?? 0) > 4 || !!box.current?.contains(document.activeElement?.closest("li") ?? null));
  if (list.length === 0) return <p className="quiet">{nothing}</p>;
  return (
    <>
      {waiting > 0 && <button type="button" className="held" onClick={() => { release(); box.current?.scrollTo({ top: 0 }); }}>Show {waiting.toLocaleString()} newer</button>}
      <ul className="stream" ref={box} aria-label={label} tabIndex={0} onScroll={look} onFocus={look} onBlur={(e) => { if (!e.currentTarget.contains(e.relatedTarget)) reading((box.current?.scrollTop ?? 0) > 4); }}>
        {shown.slice(0, most).map(row)}
        {shown.length > most && <li className="dim">and {(shown.length - most).toLocaleString()} before</li>}
      </ul>
    </>
  );
}

export function FindingStream({ heard, id, total }: { heard: Heard; id: number; total: number }) {
  return (
    <Panel flush title="Findings" actions={<Link to="/findings" search={{ scan: id }}>{count(total, "finding")}</Link>}>
      <Stream list={heard.findings} label="Findings, newest first" nothing={total > 0 ? "Those it has found are in the list behind the number; what it finds now comes here." : "None so far. They come here as soon as they are found."}
        row={(f) => (
          <li key={f.id}>
            <Severity value={f.severity} />
            <span className="grow">
              <Link to="/findings/$id" params={{ id: String(f.id) }} className="rowlink"><Inert text={f.cve ?? f.title ?? f.check} /></Link>{" "}
              {f.exploited && <KEV />} {!f.confirmed && <span className="dim">possible </span>}
              {f.cve && f.title && <span className="dim line"><Inert text={f.title} cut /></span>}
            </span>
            <span className="where"><Inert text={f.host + (f.port ? `:${f.port}` : "")} mono /></span>
          </li>
        )} />
    </Panel>
  );
}

export function HostStream({ heard, total }: { heard: Heard; total: number }) {
  const services = new Map<string, number>();
  heard.services.forEach((s) => services.set(s.host, (services.get(s.host) ?? 0) + 1));
  return (
    <Panel flush title="Hosts" actions={<span className="dim">{count(total, "host")} answered, {count(heard.services.length, "service")}</span>}>
      <Stream list={heard.hosts} label="Hosts, newest first" nothing="None has answered so far."
        row={(h) => {
          const n = services.get(h.address ?? h.hostnames[0] ?? "") ?? 0;
          return (
            <li key={`${h.address ?? ""} ${h.hostnames.join(" ")}`}>
              <span className="grow">
                <Inert text={h.address ?? h.hostnames[0]} mono />{" "}
                <span className="dim">{h.address && h.hostnames.length > 0 && <Inert text={h.hostnames.slice(0, 3).join(", ")} />} {h.os && <Inert text={h.os} />}</span>
              </span>
              <span className="where">{n > 0 ? count(n, "service") : h.status === "up" ? "answers" : <Inert text={h.status} />}</span>
            </li>
          );
        }} />
    </Panel>
  );
}
