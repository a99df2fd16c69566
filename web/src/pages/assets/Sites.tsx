// The vantage points: what each sees, and who runs tools there.
import { Button, Checkbox, Group, Modal, Switch, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, Missing, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { failed, said } from "../../ui/said";
import { Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Decision, KEV } from "../../ui/words";
import { done } from "./undo";

/** Sites is the tab of sites. */
export function Sites() {
  const sites = $api.useQuery("get", "/api/v1/sites");
  const counts = $api.useQuery("get", "/api/v1/findings/groups", { params: { query: { by: "site", confirmed: true, limit: 1000 } } });
  const admin = useMay("admin");
  const workers = $api.useQuery("get", "/api/v1/workers", {}, { retry: false });
  const [adding, setAdding] = useState(false);
  return (
    <div className="assets-tab">
      {admin && <div className="assets-filters"><div className="assets-actions"><Button variant="default" onClick={() => setAdding(true)}>Add a site</Button></div></div>}
      <section className="panel" aria-labelledby="sites">
        <h2 id="sites" className="sr">Sites</h2>
        {sites.isPending ? <Loading rows={3} /> : sites.isError ? <Failure error={sites.error} what="the sites" retry={() => void sites.refetch()} /> : (
          <table className="table assets-sites" aria-label="Sites">
            <thead><tr><th scope="col">Site</th><th scope="col">Sees what the internet sees</th><th scope="col">Open findings</th><th scope="col">Most urgent</th><th scope="col">Workers</th></tr></thead>
            <tbody>{sites.data.sites.map((s) => <Site key={s.id} site={s} group={counts.data?.groups.find((g) => g.key === s.name)} known={counts.isSuccess} workers={workers.data?.workers} may={admin} />)}</tbody>
          </table>
        )}
      </section>
      <p className="dim host-small">A host that answers a scan from an external site is exposed. Workers are started with <code>patchscout worker --server … --token-file …</code>; each token belongs to one site.</p>
      {adding && <Add close={() => setAdding(false)} />}
    </div>
  );
}

function Site({ site, group, known, workers, may }: { site: Schema<"Site">; group?: Schema<"Group">; known: boolean; workers?: Schema<"Worker">[]; may: boolean }) {
  const mine = workers?.filter((w) => (w.site ?? "default") === site.name);
  return (
    <tr>
      <td><Link to="/assets" search={{ site: site.name } as never}><Inert text={site.name} /></Link></td>
      <td>{may ? <External site={site} /> : site.external ? "yes" : "no"}</td>
      <td>
        {group ? <><Link to="/findings" search={{ site: site.name } as never}>{count(group.findings, "finding")}</Link> <span className="dim">on {count(group.hosts, "host")}</span></> : known ? <span className="dim">none</span> : <Missing />}
      </td>
      <td>{group ? <span className="picks"><Decision value={group.decision} />{group.kev > 0 && <KEV />}</span> : <span className="dim">–</span>}</td>
      <td>
        {mine === undefined ? <Missing why="only administrators see workers" /> : mine.length === 0 ? <span className="dim">{site.name === "default" ? "the server itself" : "none: nothing can be scanned from here"}</span> : mine.map((w, i) => <div key={i}><Inert text={w.name} /> <span className="dim">{w.alive ? "alive" : "silent"}, <When at={w.last_seen} /></span></div>)}
      </td>
    </tr>
  );
}

function External({ site }: { site: Schema<"Site"> }) {
  const client = useQueryClient();
  const change = async (external: boolean) => {
    await api.PATCH("/api/v1/sites/{name}", { params: { path: { name: site.name } }, body: { external } });
    await client.invalidateQueries();
  };
  const set = useMutation({
    mutationFn: change,
    onSuccess: (_, external) => done(`${plain(site.name)} is ${external ? "external" : "internal"}; its findings are judged anew.`, () => change(!external)),
    onError: (error) => failed(error, "It was not changed"),
  });
  return <Switch aria-label={`${plain(site.name)} sees what the internet sees`} checked={set.isPending ? set.variables : site.external} disabled={set.isPending} onChange={(e) => set.mutate(e.currentTarget.checked)} label={(set.isPending ? set.variables : site.external) ? "yes, external" : "no, internal"} />;
}

function Add({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [external, setExternal] = useState(false);
  const client = useQueryClient();
  const fits = /^[A-Za-z0-9._-]{1,63}$/.test(name);
  const add = useMutation({
    mutationFn: () => api.POST("/api/v1/sites", { body: { name, external } }),
    onSuccess: () => { void client.invalidateQueries({ queryKey: ["get", "/api/v1/sites"] }); said(`The site ${name} is there.`); close(); },
    onError: (error) => failed(error, "The site was not added"),
  });
  return (
    <Modal opened onClose={close} title="Add a site" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(e) => { e.preventDefault(); add.mutate(); }} style={{ display: "grid", gap: 14 }}>
        <TextInput label="Name" placeholder="branch-office" value={name} maxLength={63} onChange={(e) => setName(e.currentTarget.value.trim())} error={name !== "" && !fits ? "letters, digits, - _ and ." : undefined} data-autofocus />
        <Checkbox label="Its scans see what the internet sees" description="hosts that answer them are exposed" checked={external} onChange={(e) => setExternal(e.currentTarget.checked)} />
        <Group justify="flex-end"><Button variant="default" onClick={close}>Cancel</Button><Button type="submit" disabled={!fits} loading={add.isPending}>Add</Button></Group>
      </form>
    </Modal>
  );
}
