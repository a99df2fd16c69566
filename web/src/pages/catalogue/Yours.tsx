// Where a CVE touches your hosts.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { Day, When } from "../../ui/when";
import { Decision, State } from "../../ui/words";

const few = 8;

/** useMine are your findings of a CVE, of every state; those that are gone tell when it was fixed. */
export function useMine(id: string) {
  return $api.useQuery("get", "/api/v1/findings", { params: { query: { cve: id, state: "all", hidden: true, sort: "first_seen:asc", limit: 1 } } });
}

/** Yours lists the hosts that have it, the most urgent first. */
export function Yours({ id }: { id: string }) {
  const hosts = $api.useQuery("get", "/api/v1/findings/groups", { params: { query: { cve: id, by: "host", limit: few } } });
  const ever = useMine(id);
  const total = hosts.data?.total ?? 0;
  return (
    <Panel
      title={hosts.data && total > 0 ? `On ${count(total, "host")} of yours` : "Your hosts"} flush
      actions={total > 0 && <Button component={Link} to="/findings" search={{ cve: id } as never} variant="default" size="compact-sm">All its findings</Button>}
    >
      {hosts.isPending ? <Loading rows={2} /> : hosts.isError ? <Failure error={hosts.error} what="your hosts" retry={() => void hosts.refetch()} /> : total === 0 ? (
        <p className="panel-body dim">
          {ever.data && ever.data.total > 0
            ? <>No host has it now. <Link to="/findings" search={{ cve: id, state: "all", hidden: true } as never}>{count(ever.data.total, "earlier finding")}</Link>, the first of <Day at={ever.data.findings[0]?.first_seen} />.</>
            : "No scan or import has found it on a host of yours. That holds for what was looked at, not for what was not."}
        </p>
      ) : (
        <table className="table" aria-label="Hosts of yours that have it">
          <thead><tr><th scope="col">Host</th><th scope="col">Decision</th><th scope="col">Due</th><th scope="col" className="right">Findings</th></tr></thead>
          <tbody>
            {hosts.data.groups.map((g) => (
              <tr key={g.key}>
                <td><Link to="/assets/$id" params={{ id: g.key ?? "" }}><Inert text={g.name} /></Link></td>
                <td><Decision value={g.decision} /></td>
                <td><Day at={g.due} due /></td>
                <td className="right num"><Link to="/findings" search={{ cve: id, host: g.key ?? undefined } as never}>{g.findings.toLocaleString()}</Link></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {total > few && <p className="panel-body dim"><Link to="/findings" search={{ cve: id, group: "host" } as never}>All {count(total, "host")}</Link></p>}
      {total > 0 && ever.data?.findings[0] && <p className="panel-body dim cve-small cve-foot">First seen <When at={ever.data.findings[0].first_seen} />, last <When at={ever.data.findings[0].last_seen} /> (<State value={ever.data.findings[0].state} />)</p>}
    </Panel>
  );
}
