// Everything that is known of one CVE, each fact with who said it, and where it touches your hosts.
import { Button, CopyButton, Menu } from "@mantine/core";
import { IconChevronDown, IconCopy, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";

import { $api, api, base, Problem, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert } from "../../ui/inert";
import { Chance, CVSS } from "../../ui/numbers";
import { Page, Panel } from "../../ui/page";
import { failed, said } from "../../ui/said";
import { Empty, Failure, Loading } from "../../ui/states";
import { Decision, KEV, Severity } from "../../ui/words";
import { Affected } from "./Affected";
import "./catalogue.css";
import { Explanation } from "./Explanation";
import { Exploits, References, Techniques } from "./Known";
import { Side } from "./Side";
import { cveOf } from "./story";
import { Yours } from "./Yours";

export const cveQuery = (id: string) => $api.queryOptions("get", "/api/v1/cves/{id}", { params: { path: { id } } }, { staleTime: 60_000 });

/** CVEPage is the page of one CVE. */
export function CVEPage() {
  const { id: asked } = useParams({ strict: false }) as { id: string };
  const id = cveOf(asked);
  if (!id) {
    return (
      <Page title="CVE">
        <section className="panel"><h2 className="sr">Nothing here</h2><Empty title="That is no CVE number" action={<Search words={asked} />}>A number looks like CVE-2021-44228.</Empty></section>
      </Page>
    );
  }
  return <Known key={id} id={id} />;
}

function Known({ id }: { id: string }) {
  const found = $api.useQuery("get", "/api/v1/cves/{id}", { params: { path: { id } } }, { staleTime: 60_000, retry: false });
  if (found.isPending) return <Page title={id}><div className="panel"><Loading rows={10} height={20} /></div></Page>;
  if (!found.data) return found.error instanceof Problem && (found.error as Problem).status === 404 ? <Unknown id={id} /> : <Page title={id}><section className="panel"><h2 className="sr">{id}</h2><Failure error={found.error} what={id} retry={() => void found.refetch()} /></section></Page>;
  const cve = found.data;
  return (
    <Page title={cve.id} about={<Inert text={cve.title} />} actions={<Actions cve={cve} />}>
      <div className="cve-chips">
        <Severity value={cve.severity} />
        <span>CVSS <CVSS value={cve.cvss} /></span>
        <Decision value={cve.decision} />
        {cve.kev && <KEV ransomware={cve.ransomware} />}
        <span>Attacks within 30 days: <Chance value={cve.likelihood} source={cve.likelihood_source} /></span>
        {cve.status && <span className="dim">Record: <Inert text={cve.status} /></span>}
      </div>
      <div className="cve-columns">
        <div className="cve-column">
          <Explanation cve={cve} />
          <Yours id={cve.id} />
          <Affected cve={cve} />
          <Exploits cve={cve} />
          <Techniques cve={cve} />
          <Panel title="In its publisher's words"><p className="cve-words"><Inert text={cve.description} /></p></Panel>
          <References cve={cve} />
        </div>
        <Side cve={cve} />
      </div>
      {cve.notices.length > 0 && <p className="dim cve-small">{cve.notices.map((n) => <Inert key={n} text={n + " "} />)}</p>}
    </Page>
  );
}

function Search({ words }: { words: string }) {
  const navigate = useNavigate();
  return <Button variant="default" onClick={() => void navigate({ to: "/catalogue", search: { q: words } as never })}>Search the catalogue</Button>;
}

/** useRefresh asks NVD for a CVE now. */
function useRefresh(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => (await api.POST("/api/v1/cves/{id}/refresh", { params: { path: { id } } })).data!,
    onSuccess: (fresh: Schema<"CVE">) => {
      client.setQueryData(cveQuery(id).queryKey, fresh);
      void client.invalidateQueries({ queryKey: ["get", "/api/v1/findings/groups"] });
      said(`${id} is as NVD has it now.`);
    },
    onError: (error) => failed(error, `NVD could not be asked for ${id}`),
  });
}

// Not there: NVD may have it since the feed was loaded.
function Unknown({ id }: { id: string }) {
  const may = useMay("analyst");
  const refresh = useRefresh(id);
  return (
    <Page title={id}>
      <section className="panel">
        <h2 className="sr">Not in the catalogue</h2>
        <Empty
          title={`${id} is not in the catalogue`}
          action={<div className="picks">{may && <Button leftSection={<IconRefresh size={15} aria-hidden="true" />} loading={refresh.isPending} onClick={() => refresh.mutate()}>Ask NVD for it now</Button>}<Search words={id} /></div>}
        >
          It may be reserved and not published, newer than the last load of the feeds, or mistyped.{!may && " Somebody with the role analyst can ask NVD for it."}
        </Empty>
      </section>
    </Page>
  );
}

function Actions({ cve }: { cve: Schema<"CVE"> }) {
  const may = useMay("analyst");
  const refresh = useRefresh(cve.id);
  const news = `search=${cve.id}`;
  return (
    <>
      {may && <Button variant="default" leftSection={<IconRefresh size={15} aria-hidden="true" />} loading={refresh.isPending} onClick={() => refresh.mutate()}>Ask NVD now</Button>}
      <CopyButton value={new URL(`catalogue/${cve.id}`, base).href}>
        {({ copied, copy }) => <Button variant="default" leftSection={<IconCopy size={15} aria-hidden="true" />} onClick={copy} aria-live="polite">{copied ? "Copied" : "Copy link"}</Button>}
      </CopyButton>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target><Button variant="default" rightSection={<IconChevronDown size={14} aria-hidden="true" />}>As data</Button></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={new URL(`api/v1/cves/${cve.id}`, base).href} target="_blank" rel="noreferrer">JSON</Menu.Item>
          <Menu.Item component="a" href={new URL(`feeds/latest.rss?${news}`, base).href} target="_blank" rel="noreferrer">RSS of news about it</Menu.Item>
          <Menu.Item component="a" href={new URL(`feeds/latest.atom?${news}`, base).href} target="_blank" rel="noreferrer">Atom of news about it</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
