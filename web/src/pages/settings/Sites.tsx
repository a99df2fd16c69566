// Sites: vantage points and address spaces.
import { Button, Checkbox, Switch, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, plain } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { useAct } from "./act";
import { Dialog, Form } from "./parts";

const path = "/api/v1/sites";

export function Sites() {
  const admin = useMay("admin");
  const [adding, setAdding] = useState(false);
  const sites = $api.useQuery("get", "/api/v1/sites");
  return (
    <>
      <Panel title="All that you see" flush actions={admin && <Button size="xs" onClick={() => setAdding(true)}>Add a site</Button>}>
        {sites.isError && !sites.data ? <Failure error={sites.error} what="the sites" retry={() => void sites.refetch()} /> : !sites.data ? <Loading rows={3} label="Loading sites" /> : <Table sites={sites.data.sites} admin={admin} />}
      </Panel>
      <p className="dim">An external site sees what the internet sees: hosts that answered its scans count as exposed, and their findings become more urgent.</p>
      {adding && <Add close={() => setAdding(false)} />}
    </>
  );
}

function Table({ sites, admin }: { sites: Schema<"Site">[]; admin: boolean }) {
  const { act, busy } = useAct();
  const turn = (name: string, external: boolean) =>
    void act(() => api.PATCH("/api/v1/sites/{name}", { params: { path: { name } }, body: { external } }), {
      done: `${name} is ${external ? "external" : "internal"} now. Its hosts were judged anew.`, failed: "The site was not changed", stale: [path, "/api/v1/findings", "/api/v1/assets"],
      undo: () => api.PATCH("/api/v1/sites/{name}", { params: { path: { name } }, body: { external: !external } }),
    });
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Site</th>
          <th scope="col">Sees what the internet sees</th>
          <th scope="col"><span className="sr">What belongs to it</span></th>
        </tr>
      </thead>
      <tbody>
        {sites.map((s) => (
          <tr key={s.id}>
            <th scope="row"><Inert text={s.name} /></th>
            <td>{admin ? <Switch label={s.external ? "External" : "Internal"} aria-label={`${plain(s.name)} is external`} checked={s.external} disabled={busy} onChange={(e) => turn(s.name, e.currentTarget.checked)} /> : s.external ? "External" : "Internal"}</td>
            <td className="right"><Link to="/assets" search={{ site: s.name }}>Hosts</Link> · <Link to="/findings" search={{ site: s.name }}>Findings</Link></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Add({ close }: { close: () => void }) {
  const { act, busy } = useAct();
  const [name, setName] = useState("");
  const [external, setExternal] = useState(false);
  const right = /^[A-Za-z0-9._-]{1,63}$/.test(name);
  const submit = async () => {
    const done = await act(() => api.POST("/api/v1/sites", { body: { name, external } }), { done: `The site ${name} was added. Start a worker for it, or import its reports.`, failed: "The site was not added", stale: [path] });
    if (done) close();
  };
  return (
    <Dialog title="Add a site" close={close}>
      <Form submit={() => void submit()} label="Add the site" busy={busy} close={close} disabled={!right}>
        <TextInput data-autofocus label="Name" description="Letters, digits, '-', '_' and '.'. It cannot be changed or removed later." value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={63} spellCheck={false} error={name !== "" && !right ? "Only letters, digits, '-', '_' and '.'" : undefined} />
        <Checkbox label="External: its scans see what the internet sees" checked={external} onChange={(e) => setExternal(e.currentTarget.checked)} />
      </Form>
    </Dialog>
  );
}
