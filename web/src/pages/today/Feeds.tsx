import { Link } from "@tanstack/react-router";

import type { Schema } from "../../api/client";
import { Panel } from "../../ui/page";
import { freshness, troublesOf, type Trouble } from "./feeds";

/** Feeds says whether what PatchScout knows is fresh, and what it means where it is not. */
export function Feeds({ feeds }: { feeds: Schema<"FeedState">[] }) {
  const troubles = troublesOf(feeds);
  return (
    <Panel title="Feeds" flush actions={<Link to="/threats" search={{ tab: "feeds" }} className="today-more">All feeds</Link>}>
      {troubles.length === 0 ? <p className="today-quiet">{freshness(feeds)}</p> : <ul className="today-list">{troubles.map((t) => <Line key={t.name} trouble={t} />)}</ul>}
    </Panel>
  );
}

function Line({ trouble }: { trouble: Trouble }) {
  return (
    <li className="today-feed" data-bad={trouble.bad || undefined}>
      <span><strong>{trouble.name}</strong> {trouble.says}:</span> <span className="dim">{trouble.means}.</span>
    </li>
  );
}
