// How old the catalogue is, and what it rests on: said where its numbers are read.
import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { Day } from "../../ui/when";
import { publisherOf } from "./story";

const old = 48; // hours

const ageWords = (hours: number | null) => (hours === null ? "never" : hours < 1 ? "now" : hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`);

/** Age is one line under the title. */
export function Age() {
  const { data } = $api.useQuery("get", "/api/v1/catalogue", {}, { staleTime: 60_000 });
  if (!data) return <>All known vulnerabilities.</>;
  const used = data.feeds.filter((f) => f.age_hours !== null);
  const stale = used.filter((f) => (f.age_hours ?? 0) > old);
  const never = data.feeds.length - used.length;
  return (
    <>
      <span className="num">{data.records.toLocaleString()}</span> CVEs, the newest of <Day at={data.newest} />
      {data.starter && ", the small set that comes with the program"}. Rests on{" "}
      <Link to="/threats" search={{ tab: "feeds" } as never} title={data.feeds.map((f) => `${publisherOf(f.name)}: ${ageWords(f.age_hours)}`).join("\n")}>
        {used.length} feeds
      </Link>
      {stale.length > 0 ? <span style={{ color: "var(--sev-high)" }}>; old: {stale.map((f) => `${publisherOf(f.name)} (${ageWords(f.age_hours)})`).join(", ")}</span> : used.length > 0 && `, none older than ${ageWords(Math.max(...used.map((f) => f.age_hours ?? 0)))}`}
      {never > 0 && `; ${never} never loaded`}.
    </>
  );
}
