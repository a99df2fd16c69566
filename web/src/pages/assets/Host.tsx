// One host's whole story: what it is, what people say of it, what answers on it, what is wrong with it, who saw it when.
import { Button, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";

import { $api, Problem, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, Missing, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Page } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import "./assets.css";
import { Possible, ToDo, Worst } from "./HostFindings";
import { Identity } from "./HostIdentity";
import { Services } from "./HostServices";
import { Indicators, Lately, Seen } from "./HostStory";
import { SaidOf } from "./HostWords";

const Merge = lazy(() => import("./Merge").then((m) => ({ default: m.Merge })));
const Split = lazy(() => import("./Merge").then((m) => ({ default: m.Split })));
const Retire = lazy(() => import("./Retire").then((m) => ({ default: m.Retire })));

export type Detail = Schema<"HostDetail">;

export const hostKey = (id: number) => ["get", "/api/v1/assets/{id}", { params: { path: { id } } }] as const;

/** HostPage is the page of one host. */
export function HostPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const number = /^\d{1,15}$/.test(id) ? Number(id) : 0;
  if (number === 0) return <Gone about="That is no number of a host." />;
  return <Found key={number} id={number} />;
}

function Found({ id }: { id: number }) {
  const host = $api.useQuery("get", "/api/v1/assets/{id}", { params: { path: { id } } }, { staleTime: 15_000 });
  const navigate = useNavigate();
  const now = host.data?.id;
  useEffect(() => {
    if (now !== undefined && now !== id) void navigate({ to: "/assets/$id", params: { id: String(now) }, replace: true }); // it was joined into another
  }, [now, id, navigate]);
  if (host.isPending) return <Page title="Host"><div className="panel"><Loading rows={10} height={20} /></div></Page>;
  if (!host.data) return host.error instanceof Problem && (host.error as Problem).status === 404 ? <Gone about="It may have been removed, or be in a site that you do not see." /> : <Page title="Host"><section className="panel"><h2 className="sr">Host</h2><Failure error={host.error} what="the host" retry={() => void host.refetch()} /></section></Page>;
  return <Story host={host.data} />;
}

function Gone({ about }: { about: string }) {
  return (
    <Page title="Host">
      <section className="panel"><h2 className="sr">Not here</h2><Empty title="There is no such host" action={<Button component={Link} to="/assets" variant="default">To all hosts</Button>}>{about}</Empty></section>
    </Page>
  );
}

/** titleOf is what a host is called: its address, or the name of one that has none. */
export const titleOf = (h: { id: number; address: string | null; hostnames: string[] }) => h.address ?? h.hostnames[0] ?? `Host ${h.id}`;

function Story({ host }: { host: Detail }) {
  return (
    <Page title={titleOf(host)} about={<Names host={host} />} actions={<Actions host={host} />}>
      <div className="host-head">
        <Chip tone={host.status === "up" ? "good" : "info"} title={`the last scan saw it ${plain(host.status)}`}>{plain(host.status)}</Chip>
        <span>Site <Link to="/assets" search={{ site: host.site } as never}><Inert text={host.site} /></Link></span>
        <span><Exposed reach={host.reach} /></span>
        <span className="dim">Seen <When at={host.last_seen} />, first <When at={host.first_seen} /></span>
      </div>
      <div className="host-columns">
        <div className="host-column">
          <Worst host={host} />
          <ToDo host={host} />
          <Services host={host} />
          <Possible host={host} />
        </div>
        <div className="host-column">
          <SaidOf host={host} />
          <Identity host={host} />
          <Indicators host={host} />
          <Seen host={host} />
          <Lately host={host} />
        </div>
      </div>
    </Page>
  );
}

function Names({ host }: { host: Detail }) {
  const names = host.hostnames.filter((n) => n !== titleOf(host));
  return (
    <>
      {host.os ? <Inert text={host.os} /> : "System not known"}
      {names.slice(0, 4).map((n) => <span key={n}> · <Inert text={n} /></span>)}
      {names.length > 4 && <span title={names.slice(4).map(plain).join("\n")}> · {count(names.length - 4, "more name")}</span>}
    </>
  );
}

/** Exposed says whether the internet reaches a host, and why that is thought. */
export function Exposed({ reach }: { reach: Schema<"HostReach"> }) {
  return reach.exposed === null
    ? <>Exposure <Missing why={plain(reach.why)} /> <span className="dim">({plain(reach.why)})</span></>
    : <><strong>{reach.exposed ? "Exposed to the internet" : "Not exposed"}</strong> <span className="dim">({plain(reach.why)})</span></>;
}

function Actions({ host }: { host: Detail }) {
  const may = useMay("analyst");
  const [open, setOpen] = useState<"merge" | "split" | "retire" | null>(null);
  const target = host.address ?? host.hostnames[0];
  if (!may) return null;
  return (
    <>
      {target && <Button component={Link} to="/scans" search={{ start: true, targets: target, site: host.site } as never} variant="default">Scan it</Button>}
      <Menu position="bottom-end" shadow="md" width={230}>
        <Menu.Target><Button variant="default" leftSection={<IconDots size={15} aria-hidden="true" />}>More</Button></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen("merge")}>Join another host into it …</Menu.Item>
          <Menu.Item onClick={() => setOpen("split")} disabled={host.addresses.length + host.hostnames.length < 2}>Split an address off …</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => setOpen("retire")}>Retire it …</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>
        {open === "merge" && <Merge host={host} close={() => setOpen(null)} />}
        {open === "split" && <Split host={host} close={() => setOpen(null)} />}
        {open === "retire" && <Retire hosts={[host]} close={() => setOpen(null)} />}
      </Suspense>
    </>
  );
}

/** ScanLink is the number of a scan or import, leading to it. */
export function ScanLink({ id }: { id: number }) {
  return <Link to="/scans/$id" params={{ id: String(id) }}>scan {id}</Link>;
}
