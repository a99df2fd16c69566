// Rules: what is said of all findings or hosts of a kind.
import { Button, Checkbox, MultiSelect, NativeSelect, Switch, TextInput } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { Day, When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { useAct } from "./act";
import { Dialog, Form, Sure } from "./parts";
import { listIn, saysOf, whereOf } from "./rules";
import { repairRules } from "./search";

type Rule = Schema<"Rule">;

const path = "/api/v1/rules";
const judged = [path, "/api/v1/findings", "/api/v1/assets"];

export function Rules() {
  const analyst = useMay("analyst");
  const [{ all }, choose] = useChosen(repairRules);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Rule | null>(null);
  const rules = $api.useQuery("get", "/api/v1/rules", { params: { query: { all: all || undefined } } });
  return (
    <>
      <Panel
        title={all ? "All rules" : "In force"} flush
        actions={<><Checkbox size="xs" label="Also those without effect" checked={all} onChange={(e) => choose({ all: e.currentTarget.checked })} />{analyst && <Button size="xs" onClick={() => setAdding(true)}>Add a rule for hosts</Button>}</>}
      >
        {rules.isError && !rules.data ? <Failure error={rules.error} what="the rules" retry={() => void rules.refetch()} /> : !rules.data ? <Loading rows={4} label="Loading rules" /> : rules.data.rules.length === 0 ? (
          <Empty title="There is no rule yet" action={<Button component={Link} to="/findings" variant="default">To the findings</Button>}>Rules for findings are made where you triage one: for this weakness on the host, or everywhere. Rules for hosts are made here.</Empty>
        ) : (
          <Table rules={rules.data.rules} analyst={analyst} remove={setRemoving} />
        )}
      </Panel>
      <p className="dim">A person's word on one finding or host wins over every rule. When a rule ends, is turned off or removed, what it said is taken back.</p>
      {adding && <Add close={() => setAdding(false)} />}
      {removing && <Remove rule={removing} close={() => setRemoving(null)} />}
    </>
  );
}

function Table({ rules, analyst, remove }: { rules: Rule[]; analyst: boolean; remove: (r: Rule) => void }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Of</th>
          <th scope="col">Says</th>
          <th scope="col" className="wide-only right">Effect</th>
          <th scope="col" className="wide-only">By</th>
          <th scope="col">On</th>
          {analyst && <th scope="col"><span className="sr">Remove</span></th>}
        </tr>
      </thead>
      <tbody>{rules.map((r) => <Line key={r.id} r={r} analyst={analyst} remove={remove} />)}</tbody>
    </table>
  );
}

const called = (r: Rule) => plain(r.name ?? `rule ${r.id}`);

function Line({ r, analyst, remove }: { r: Rule; analyst: boolean; remove: (r: Rule) => void }) {
  const { act, busy } = useAct();
  const at = { params: { path: { id: r.id } } };
  const turn = (enabled: boolean) =>
    void act(() => api.PATCH("/api/v1/rules/{id}", { ...at, body: { enabled } }), {
      done: `${called(r)} is ${enabled ? "on" : "off: what it said was taken back"}.`, failed: "The rule was not changed", stale: judged, undo: () => api.PATCH("/api/v1/rules/{id}", { ...at, body: { enabled: !enabled } }),
    });
  const where = whereOf(r.where);
  return (
    <tr>
      <th scope="row">
        {r.name && <div><Inert text={r.name} /></div>}
        {where.length === 0 ? `all ${r.about}` : where.map((w) => <div key={w.name} className={r.name ? "settings-sub" : undefined}><span className="dim">{w.name} </span><Inert text={w.values.join(", ")} /></div>)}
      </th>
      <td>
        {saysOf(r.says).map((w) => <div key={w}><Inert text={w} /></div>)}
        {r.says.reason && <div className="settings-sub"><Inert text={r.says.reason} /></div>}
        {r.until && <div className="settings-sub">until <Day at={r.until} /></div>}
      </td>
      <td className="wide-only right num">{r.hits === null ? <Missing why="not counted" /> : count(r.hits, r.about === "hosts" ? "host" : "finding")}</td>
      <td className="wide-only"><Inert text={r.by ?? r.source} /><div className="settings-sub"><When at={r.created_at} /></div></td>
      <td>{r.ended ? <Chip tone="info">Ended</Chip> : analyst ? <Switch checked={r.enabled} disabled={busy} onChange={(e) => turn(e.currentTarget.checked)} aria-label={`${called(r)} is on`} /> : r.enabled ? "on" : "off"}</td>
      {analyst && <td className="right"><Button size="compact-xs" variant="subtle" color="red" onClick={() => remove(r)} aria-label={`Remove ${called(r)}`}>Remove</Button></td>}
    </tr>
  );
}

function Remove({ rule, close }: { rule: Rule; close: () => void }) {
  const { act } = useAct();
  return (
    <Sure title={`Remove ${called(rule)}`} label="Remove" close={close} act={() => act(() => api.DELETE("/api/v1/rules/{id}", { params: { path: { id: rule.id } } }), { done: `${called(rule)} was removed, and what it said taken back.`, failed: "The rule was not removed", stale: judged })}>
      What it said of {rule.hits === null ? "everything" : count(rule.hits, rule.about === "hosts" ? "host" : "finding")} is taken back at once. Turn it off instead to keep it for later.
    </Sure>
  );
}

type Words = Schema<"HostRuleInputBody">;

function Add({ close }: { close: () => void }) {
  const sites = $api.useQuery("get", "/api/v1/sites");
  const { act, busy } = useAct();
  const [f, set] = useState({ name: "", network: "", site: [] as string[], owner: "", criticality: "", exposed: "", tag: "", until: "" });
  const to = (part: Partial<typeof f>) => set({ ...f, ...part });
  const says = f.owner.trim() || f.criticality || f.exposed || f.tag.trim();
  const submit = async () => {
    const body: Words = {
      name: f.name.trim() || undefined, network: f.network.trim() ? listIn(f.network) : undefined, site: f.site.length ? f.site : undefined, owner: f.owner.trim() || undefined,
      criticality: (f.criticality || undefined) as Words["criticality"], exposed: (f.exposed || undefined) as Words["exposed"], tag: f.tag.trim() ? listIn(f.tag) : undefined, until: f.until || undefined,
    };
    let made: number[] = [];
    const done = await act(
      async () => {
        made = (await api.POST("/api/v1/rules/hosts", { body })).data!.rules;
      },
      { done: "The rule was added. Hosts of today were judged by it at once.", failed: "The rule was not added", stale: judged, undo: () => Promise.all(made.map((id) => api.DELETE("/api/v1/rules/{id}", { params: { path: { id } } }))) },
    );
    if (done) close();
  };
  return (
    <Dialog title="Add a rule for hosts" close={close} size="lg">
      <Form submit={() => void submit()} label="Add the rule" busy={busy} close={close} disabled={!says || (!f.network.trim() && f.site.length === 0)}>
        <TextInput data-autofocus label="Hosts" description="Networks, addresses, or names with *: 10.0.0.0/8, *.lab.example.org" value={f.network} onChange={(e) => to({ network: e.currentTarget.value })} spellCheck={false} />
        <MultiSelect label="Sites" placeholder={f.site.length ? undefined : "Every site"} data={sites.data?.sites.map((s) => s.name) ?? []} value={f.site} onChange={(site) => to({ site })} />
        <TextInput label="Owner" placeholder="web team" value={f.owner} onChange={(e) => to({ owner: e.currentTarget.value })} maxLength={255} />
        <NativeSelect label="Criticality" value={f.criticality} onChange={(e) => to({ criticality: e.currentTarget.value })} data={[{ value: "", label: "Says nothing" }, "minimal", "low", "medium", "high", "critical"]} />
        <NativeSelect label="The internet reaches them" value={f.exposed} onChange={(e) => to({ exposed: e.currentTarget.value })} data={[{ value: "", label: "Says nothing" }, "yes", "no"]} />
        <TextInput label="Tags" placeholder="prod, dmz" value={f.tag} onChange={(e) => to({ tag: e.currentTarget.value })} />
        <TextInput type="date" label="Last day" description="Empty: no end" value={f.until} onChange={(e) => to({ until: e.currentTarget.value })} />
        <TextInput label="Name of the rule" value={f.name} onChange={(e) => to({ name: e.currentTarget.value })} maxLength={255} />
      </Form>
    </Dialog>
  );
}
