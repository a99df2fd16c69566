// Jewels: the hosts that matter most, and how much.
import { Button, NativeSelect, Popover } from "@mantine/core";
import { IconCrown } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { api, type Schema } from "../../../api/client";
import { useMay } from "../../../api/session";
import { Inert, plain } from "../../../ui/inert";
import { Panel } from "../../../ui/page";
import { Empty, Failure, Loading } from "../../../ui/states";
import { HostSearch } from "../EndPick";
import { choices, hostName, type Criticality } from "./jewel";
import { deed } from "./undo";

type Host = Schema<"HostListed">;

const say = (id: number, body: Schema<"HostWords">) => api.PATCH("/api/v1/assets/{id}", { params: { path: { id } }, body });

const useJewels = () => useInfiniteQuery({
  queryKey: ["get", "/api/v1/assets", "jewels"], staleTime: 15_000, initialPageParam: undefined as string | undefined,
  queryFn: async ({ signal, pageParam }) => (await api.GET("/api/v1/assets", { params: { query: { tag: ["jewel"], limit: 100, after: pageParam } as never }, signal })).data!,
  getNextPageParam: (last: Schema<"HostPage">) => last.next ?? undefined,
});

export function Jewels() {
  const may = useMay("analyst");
  const jewels = useJewels();
  const hosts = jewels.data?.pages.flatMap((p) => p.hosts);
  return (
    <Panel title="Jewels" flush actions={may && <Add has={(id) => hosts?.some((h) => h.id === id) ?? false} />}>
      <p className="ps-says">Paths lead to hosts that are tagged <code>jewel</code>; the more critical one is, the more its fall weighs, and medium is taken where nobody said.</p>
      {jewels.isError && !hosts ? <Failure error={jewels.error} what="the jewels" retry={() => void jewels.refetch()} /> : !hosts ? <Loading rows={3} label="Loading jewels" />
        : hosts.length === 0 ? <Empty title="No host is named a jewel" icon={<IconCrown size={28} stroke={1.4} aria-hidden="true" />}>Hosts of criticality high and critical stand for them; where there are none either, every host counts alike.</Empty>
        : <Table hosts={hosts} may={may} />}
      {jewels.hasNextPage && <p className="ps-more"><Button variant="default" size="compact-sm" loading={jewels.isFetchingNextPage} onClick={() => void jewels.fetchNextPage()}>More jewels</Button></p>}
    </Panel>
  );
}

function Table({ hosts, may }: { hosts: Host[]; may: boolean }) {
  return (
    <table className="table ps-table" aria-label="Jewels">
      <thead><tr><th scope="col">Host</th><th scope="col" className="ps-wide">Site</th><th scope="col">Criticality</th><th scope="col" className="ps-wide">Paths</th>{may && <th scope="col"><span className="sr">Take off</span></th>}</tr></thead>
      <tbody>{hosts.map((h) => <Row key={h.id} host={h} may={may} />)}</tbody>
    </table>
  );
}

function Row({ host, may }: { host: Host; may: boolean }) {
  const name = hostName(host);
  const now = (host.criticality ?? "") as Criticality;
  const weigh = (to: Criticality) => void deed(() => say(host.id, { criticality: to }), { done: `${name}: ${to === "" ? "the rules say how critical it is" : `criticality ${to}`}.`, failed: "It was not kept" }, () => say(host.id, { criticality: now }));
  const off = () => void deed(() => say(host.id, { tags: ["-jewel"] }), { done: `${name} is no jewel any more.`, failed: "It was not taken off" }, () => say(host.id, { tags: ["jewel"] }));
  return (
    <tr>
      <th scope="row"><Link to="/assets/$id" params={{ id: String(host.id) }}><Inert text={name} /></Link>{host.address && host.hostnames[0] && <span className="ps-sub"><Inert text={host.hostnames[0]} /></span>}</th>
      <td className="ps-wide"><Inert text={host.site} /></td>
      <td>{may ? <NativeSelect size="xs" aria-label={`Criticality of ${plain(name)}`} value={now} onChange={(e) => weigh(e.currentTarget.value as Criticality)} data={choices} /> : (choices.find((c) => c.value === now)?.label ?? now)}</td>
      <td className="ps-wide"><Link to="/paths" search={{ to: String(host.id) } as never} aria-label={`Paths to it: ${plain(name)}`}>Paths to it</Link></td>
      {may && <td className="right"><Button variant="subtle" color="gray" size="compact-sm" onClick={off} aria-label={`Take off: ${plain(name)}`}>Take off</Button></td>}
    </tr>
  );
}

function Add({ has }: { has: (id: number) => boolean }) {
  const [open, setOpen] = useState(false);
  const choose = async (id: number) => {
    setOpen(false);
    if (has(id)) return;
    await deed(() => say(id, { tags: ["jewel"] }), { done: "The host is a jewel now; paths are worked out anew.", failed: "It was not named" }, () => say(id, { tags: ["-jewel"] }));
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" width={300} trapFocus returnFocus>
      <Popover.Target><Button size="xs" onClick={() => setOpen(!open)}>Name a jewel</Button></Popover.Target>
      <Popover.Dropdown p={6} aria-label="Name a jewel"><HostSearch label="Which host matters?" choose={(id) => void choose(id)} /></Popover.Dropdown>
    </Popover>
  );
}
