// What helps to answer questions: a language model, embeddings, a store of vectors, the index of texts. What leaves this
// machine is said before somebody allows it.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { Inert } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Facts, Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { Chip } from "../../ui/words";
import { accept, state } from "../ask/ask";
import type { Peer, State } from "../ask/kinds";
import { useAct } from "./act";
import { standing, type PeerName } from "./peers";
import { Sure } from "./parts";

const peers: { id: PeerName; title: string; does: string; set: string; none: string }[] = [
  { id: "model", title: "Language model", does: "Words answers. Each of its sentences is checked against the records; what none of them says is cut.", set: "--llm-url", none: "Answers are composed from the records by fixed sentences, which needs no model." },
  { id: "embeddings", title: "Embeddings", does: "Find records by meaning, beside words.", set: "assistant.embed_dir or assistant.embed_url", none: "Records are found by their words, ids and names." },
  { id: "vectors", title: "Vectors", does: "Where embeddings are kept and compared.", set: "assistant.chroma_url", none: "Where there are embeddings, this program keeps them itself." },
];

export function Assistant() {
  const set = useQuery({ queryKey: ["ask-state", "/api/v1/chat/state"], queryFn: ({ signal }) => state(signal), refetchInterval: (q) => (q.state.data?.index.some((p) => !p.current) ? 3_000 : 30_000) });
  if (set.isError && !set.data) return <Panel title="Assistant"><Failure error={set.error} what="the assistant" retry={() => void set.refetch()} /></Panel>;
  if (!set.data) return <Panel title="Assistant"><Loading rows={8} label="Loading the assistant" /></Panel>;
  return (
    <>
      {peers.map((p) => <One key={p.id} about={p} peer={set.data[p.id]} />)}
      <Index set={set.data} />
      <p className="dim">Conversations are removed {count(set.data.keep_days, "day")} after their last question (<code>assistant.keep_days</code>). <Link to="/ask">To the questions</Link></p>
    </>
  );
}

function One({ about, peer }: { about: (typeof peers)[number]; peer: Peer }) {
  const { word, tone } = standing(peer);
  return (
    <Panel title={about.title} actions={<Chip tone={tone}>{word}</Chip>}>
      <div className="settings-form">
        <p>{about.does}</p>
        {peer.name || peer.url ? (
          <Facts
            rows={[
              ["Name", <Inert key="n" text={peer.name} />],
              ["Where", peer.url ? <Inert key="u" text={peer.url} mono /> : "in this program"],
              ...(peer.sends ? ([["What is sent", <Inert key="s" text={peer.sends} />]] as [string, React.ReactNode][]) : []),
              ...(peer.error ? ([["Not used because", <Inert key="e" text={peer.error} />]] as [string, React.ReactNode][]) : []),
            ]}
          />
        ) : <p className="dim">None is configured (<code>{about.set}</code>). {about.none}</p>}
        {peer.accepted !== null && peer.url && <Consent about={about} peer={peer} />}
      </div>
    </Panel>
  );
}

/** Consent is asked for what is not on this machine, and can be taken back. */
function Consent({ about, peer }: { about: (typeof peers)[number]; peer: Peer }) {
  const [asks, setAsks] = useState(false);
  const { act, busy } = useAct();
  const say = (yes: boolean) =>
    act(() => accept({ [about.id]: yes }), {
      done: yes ? `${about.title}: what is sent is accepted.` : `${about.title}: nothing is sent there any more.`, failed: "It was not changed", stale: ["/api/v1/chat/state"],
      undo: () => accept({ [about.id]: !yes }),
    });
  if (peer.accepted) return <div className="settings-buttons"><Button variant="default" loading={busy} onClick={() => void say(false)}>Send nothing there any more</Button></div>;
  return (
    <>
      <div className="settings-buttons"><Button onClick={() => setAsks(true)}>Accept what is sent</Button></div>
      {asks && (
        <Sure title={`${about.title}: accept what is sent?`} label="Accept" close={() => setAsks(false)} act={() => say(true)}>
          <p>To <Inert text={peer.url} mono /> goes: <Inert text={peer.sends} /></p>
          <p className="dim">It holds for this address until it changes or somebody takes it back, and stands in the audit trail.</p>
        </Sure>
      )}
    </>
  );
}

const names: Record<string, string> = { cves: "CVEs", findings: "Findings", assets: "Hosts and services", techniques: "ATT&CK techniques", scans: "Scans", docs: "Documentation", vectors: "Embeddings" };

function Index({ set }: { set: State }) {
  return (
    <Panel title="What is searched as text" flush>
      {set.index.length === 0 ? <p className="settings-note">Nothing yet: the first question builds the index.</p> : (
        <table className="table">
          <thead><tr><th scope="col">Records</th><th scope="col" className="right">How many</th><th scope="col">State</th></tr></thead>
          <tbody>
            {set.index.map((p) => (
              <tr key={p.name}><th scope="row">{names[p.name] ?? <Inert text={p.name} />}</th><td className="right num">{p.records.toLocaleString()}</td><td>{p.current ? <Chip tone="good">Up to date</Chip> : <Chip tone="medium">Bringing in changes</Chip>}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
