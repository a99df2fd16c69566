// Which feeds are loaded, and when: as the configuration says.
import { Link } from "@tanstack/react-router";

import { $api } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { nameOf, saysOf, scheduleOf } from "../threats/feeds";

export function Feeds() {
  const status = $api.useQuery("get", "/api/v1/feeds/status");
  return (
    <>
      <Panel title="As configured" flush actions={<Link to="/threats" search={{ tab: "feeds" } as never}>Load them, see what each load did</Link>}>
        {status.isError && !status.data ? (
          <Failure error={status.error} what="the feeds" retry={() => void status.refetch()} />
        ) : !status.data ? (
          <Loading rows={10} label="Loading the feeds" />
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Feed</th>
                <th scope="col">On</th>
                <th scope="col">Key</th>
                <th scope="col">When</th>
                <th scope="col" className="wide-only">Settings</th>
              </tr>
            </thead>
            <tbody>
              {status.data.feeds.map((f) => (
                <tr key={f.feed}>
                  <th scope="row"><Inert text={nameOf(f.feed)} /><div className="settings-sub">{saysOf(f.feed)}</div></th>
                  <td>{f.enabled ? <Chip tone="good">On</Chip> : <Chip tone="info">Off</Chip>}</td>
                  <td>{f.missing ? <><Chip tone="medium">Missing</Chip><div className="settings-sub"><Inert text={f.missing} /></div></> : <span className="dim">nothing is missing</span>}</td>
                  <td>{scheduleOf(f.schedule)}<div className="settings-sub">{f.enabled && f.due_at ? <>next <When at={f.due_at} /></> : <Missing why="no next run" />}</div></td>
                  <td className="wide-only mono nowrap">feeds.{f.feed}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      <p className="dim">The configuration file or the server's environment decides this. Change it there and start the server again; <code>patchscout config check</code> says where each value comes from.</p>
    </>
  );
}
