// The files that are on their way, each with how far it is.
import { ActionIcon, Button } from "@mantine/core";
import { IconRefresh, IconX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";

import { $api } from "../../api/client";
import { Inert, plain } from "../../ui/inert";
import { bytes } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { State } from "../../ui/words";
import { useLive } from "../scans/watch";
import { Line } from "./Equation";
import { countedOf } from "./ledger";
import { heard, tally, type Item } from "./queue";
import { Refused } from "./Refused";
import { again, canSend, clear, stop, useUploads, wasRead, type Choice } from "./uploads";

export function Queue({ choice }: { choice: Choice }) {
  const queue = useUploads();
  if (queue.length === 0) return null;
  const listened = heard(queue);
  const through = queue.filter((i) => i.stage === "done" || i.stage === "refused" || i.stage === "stopped").length;
  return (
    <Panel flush title="Files" actions={<><span className="dim" role="status">{tally(queue)}</span>{through > 0 && <Button size="compact-sm" variant="default" onClick={clear}>Clear what is through</Button>}</>}>
      <ul className="queue">
        {ordered(queue).slice(0, 300).map((item) => <Row key={item.key} item={item} choice={choice} listen={listened.has(item.key)} />)}
      </ul>
      {queue.length > 300 && <p className="quiet">and {(queue.length - 300).toLocaleString()} more</p>}
    </Panel>
  );
}

function Row({ item, choice, listen }: { item: Item; choice: Choice; listen: boolean }) {
  const large = item.size > 1e6; // smaller ones are sent before a bar is drawn
  const share = item.size ? Math.min(100, (item.sent / item.size) * 100) : 100;
  const name = item.id ? <Link to="/import/$id" params={{ id: String(item.id) }} className="rowlink"><Inert text={item.name} /></Link> : <span style={{ fontWeight: 550 }}><Inert text={item.name} /></span>;
  const tools = (
    <>
      {(item.stage === "waiting" || item.stage === "sending") && <ActionIcon variant="subtle" color="gray" aria-label={`Stop ${plain(item.name)}`} onClick={() => stop(item.key)}><IconX size={16} /></ActionIcon>}
      {(item.stage === "refused" || item.stage === "stopped") && canSend(item.key) && <ActionIcon variant="subtle" color="gray" aria-label={`Try ${plain(item.name)} again`} onClick={() => again(item.key, choice)}><IconRefresh size={16} /></ActionIcon>}
    </>
  );
  return (
    <li>
      <div className="queue-head"><span className="grow">{name} <span className="dim nowrap">{bytes(item.size)}{item.tool && `, ${item.tool}`}</span></span><Where item={item} share={share} large={large} listen={listen} />{tools}</div>
      {item.stage === "sending" && large && <div className="meter" role="progressbar" aria-label={`Sending ${plain(item.name)}`} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.floor(share)}><span style={{ width: `${share}%` }} /></div>}
      {item.stage === "refused" && item.says && <Refused says={item.says} file={item.name} />}
    </li>
  );
}

function Where({ item, share, large, listen }: { item: Item; share: number; large: boolean; listen: boolean }): ReactNode {
  switch (item.stage) {
    case "waiting": return <span className="dim nowrap">waits</span>;
    case "sending": return <span className="dim num nowrap">{large && share < 100 ? `sending, ${Math.floor(share)} %` : "being sent"}</span>;
    case "reading": return listen ? <Reading keyOf={item.key} id={item.id!} /> : <span className="dim nowrap">waits to be read</span>;
    case "stopped": return <span className="dim nowrap">stopped</span>;
    case "refused": return <span className="bad nowrap">not imported</span>;
    case "done": return <Read id={item.id!} />;
  }
}

/** Reading is the ledger while the server reads the file. */
function Reading({ keyOf, id }: { keyOf: number; id: number }) {
  const live = useLive(id, true);
  const over = live.ended || live.line === "over" || live.line === "gone" || live.line === "out";
  useEffect(() => { if (over) wasRead(keyOf); }, [over, keyOf]);
  const ledger = live.progress?.ledger;
  return <span className="dim" role="status">{ledger ? <Line counted={ledger} /> : "being read"}</span>;
}

/** Read is what became of it. */
function Read({ id }: { id: number }) {
  const doc = $api.useQuery("get", "/api/v1/imports/{id}", { params: { path: { id } } }, { refetchInterval: (q) => (q.state.data && q.state.data.status !== "completed" && q.state.data.status !== "failed" ? 2000 : false) });
  if (!doc.data) return <span className="dim">{doc.isError ? "its ledger could not be loaded" : "read"}</span>;
  if (doc.data.status === "failed") return <Refused says={doc.data.reason ?? "the import failed"} file={doc.data.ledger.file} />;
  return (
    <span className="queue-ledger">
      <Line counted={countedOf(doc.data.ledger)} />
      {doc.data.ledger.warning && <span className="warn"><Inert text={doc.data.ledger.warning} /></span>}
      {doc.data.status !== "completed" && <State value={doc.data.status} />}
    </span>
  );
}

/** ordered has what was not imported first, when nothing moves any more. */
function ordered(queue: Item[]): Item[] {
  if (queue.some((i) => i.stage === "waiting" || i.stage === "sending" || i.stage === "reading")) return queue;
  return [...queue].sort((a, b) => Number(b.stage === "refused") - Number(a.stage === "refused"));
}
