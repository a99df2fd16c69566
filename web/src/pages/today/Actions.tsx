import { Link } from "@tanstack/react-router";

import type { Schema } from "../../api/client";
import { Inert, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Day } from "../../ui/when";
import { Decision, KEV } from "../../ui/words";

type Group = Schema<"Group">;

/** Actions is what to do first: one line for each thing to do, with what it solves. */
export function Actions({ groups }: { groups: Group[] }) {
  return (
    <Panel title="Do first" flush actions={groups.length > 0 && <Link to="/findings" search={{ group: "remedy" }} className="today-more">All remedies</Link>}>
      {groups.length === 0
        ? <p className="today-quiet dim">Nothing to do: no open finding has a remedy that is known.</p>
        : <ol className="today-list">{groups.map((g, i) => <Action key={g.key ?? i} group={g} />)}</ol>}
    </Panel>
  );
}

function Action({ group }: { group: Group }) {
  const what = capital(group.action ?? group.name ?? "no remedy is known");
  const name = group.key ? what : "No remedy is known: isolate the hosts, watch them, or accept the risk";
  const solves = `${group.key ? "solves " : ""}${count(group.findings, "finding")}`;
  return (
    <li>
      <Link to="/findings" search={group.key ? { remedy: group.key } : { group: "remedy" }} className="today-line">
        <span className="today-flag"><Decision value={group.decision} /></span>
        <span className="today-what">
          <span className="today-do" title={plain(name)}><Inert text={name} /></span>
          <span className="dim today-meta">
            <span>{solves} on {count(group.hosts, "host")}</span>
            {group.kev > 0 && <span className="today-kev"><KEV /> {group.kev === group.findings ? "attackers use it" : `attackers use ${group.kev.toLocaleString()} of them`}</span>}
          </span>
        </span>
        <span className="today-due"><Due at={group.due} /></span>
      </Link>
    </li>
  );
}

function Due({ at }: { at: string | null }) {
  return at ? <Day at={at} due /> : <span className="dim">no date</span>;
}

const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
