// What may be scanned, from which site and by whom.
import { Button, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert, plain } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading, messageOf } from "../../ui/states";
import { Day, When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { useAct } from "./act";
import { Dialog, Form } from "./parts";

type Rule = Schema<"ScopeRule">;

const path = "/api/v1/scope";

export function Scope() {
  const admin = useMay("admin");
  const analyst = useMay("analyst");
  const [adding, setAdding] = useState(false);
  const scope = $api.useQuery("get", "/api/v1/scope");
  return (
    <>
      <Panel title="Always">
        {scope.isError && !scope.data ? <Failure error={scope.error} what="the scope" retry={() => void scope.refetch()} /> : !scope.data ? <Loading rows={3} label="Loading the scope" /> : <Networks list={scope.data.networks} />}
      </Panel>
      <Panel title="Rules" flush actions={admin && <Button size="xs" onClick={() => setAdding(true)}>Add a rule</Button>}>
        {!scope.data ? (!scope.isError && <Loading rows={3} label="Loading the rules" />) : scope.data.rules.length === 0 ? (
          <Empty title="There is no rule">{admin ? "Add one to allow public addresses, or to spare machines that do not bear it." : "Administrators add rules."}</Empty>
        ) : (
          <Rules rules={scope.data.rules} admin={admin} />
        )}
      </Panel>
      {analyst && <Check admin={admin} />}
      {adding && <Add close={() => setAdding(false)} />}
    </>
  );
}

function Networks({ list }: { list: Schema<"Network">[] }) {
  return <dl className="facts">{list.map((n) => <div key={n.network} style={{ display: "contents" }}><dt><Inert text={n.network} /></dt><dd><Inert text={n.why} /></dd></div>)}</dl>;
}

const bodyOf = (r: Rule): Schema<"ScopeRuleInputBody"> => ({ network: r.network, deny: r.deny || undefined, note: r.note ?? undefined, role: (r.role as "admin" | null) ?? undefined, site: r.site ?? undefined, until: r.until ?? undefined, user: r.user ?? undefined });

function Rules({ rules, admin }: { rules: Rule[]; admin: boolean }) {
  const { act, busy } = useAct();
  const remove = (r: Rule) =>
    void act(() => api.DELETE("/api/v1/scope/{id}", { params: { path: { id: r.id } } }), {
      done: `The rule for ${r.network} was removed. Running scans obey from their next task on.`, failed: "The rule was not removed", stale: [path],
      undo: r.over ? undefined : () => api.POST("/api/v1/scope", { body: bodyOf(r) }),
    });
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Network or name</th>
          <th scope="col">For</th>
          <th scope="col">Until</th>
          <th scope="col" className="wide-only">Why</th>
          {admin && <th scope="col"><span className="sr">Remove</span></th>}
        </tr>
      </thead>
      <tbody>
        {rules.map((r) => (
          <tr key={r.id}>
            <th scope="row"><Chip tone={r.deny ? "high" : "good"}>{r.deny ? "Denied" : "Allowed"}</Chip> <Inert text={r.network} mono /></th>
            <td>{r.user ? <>user <Inert text={r.user} /></> : r.role ? `${r.role} and above` : "everybody who may scan"}<div className="settings-sub">{r.site ? <>in site <Inert text={r.site} /></> : "in every site"}</div></td>
            <td>{r.until ? <><Day at={r.until} />{r.over && <> <Chip tone="info">Over</Chip></>}</> : "no end"}</td>
            <td className="wide-only">{r.note && <Inert text={r.note} />}<div className="settings-sub">{r.by && <>by <Inert text={r.by} />, </>}<When at={r.created_at} /></div></td>
            {admin && <td className="right"><Button size="compact-xs" variant="subtle" color="red" disabled={busy} onClick={() => remove(r)} aria-label={`Remove the rule for ${plain(r.network)}`}>Remove</Button></td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Add({ close }: { close: () => void }) {
  const sites = $api.useQuery("get", "/api/v1/sites");
  const { act, busy } = useAct();
  const [f, set] = useState({ deny: "allow", network: "", site: "", role: "", user: "", until: "", note: "" });
  const to = (part: Partial<typeof f>) => set({ ...f, ...part });
  const submit = async () => {
    let made: number | null = null;
    const done = await act(
      async () => {
        const { data } = await api.POST("/api/v1/scope", {
          body: { network: f.network.trim(), deny: f.deny === "deny" || undefined, site: f.site || undefined, role: (f.role || undefined) as "admin" | undefined, user: f.user.trim() || undefined, until: f.until || undefined, note: f.note.trim() || undefined },
        });
        made = data!.id;
      },
      { done: `${f.network.trim()} is ${f.deny === "deny" ? "denied" : "allowed"} now.`, failed: "The rule was not added", stale: [path], undo: () => api.DELETE("/api/v1/scope/{id}", { params: { path: { id: made! } } }) },
    );
    if (done) close();
  };
  return (
    <Dialog title="Add a rule" close={close}>
      <Form submit={() => void submit()} label={f.deny === "deny" ? "Deny" : "Allow"} busy={busy} close={close} disabled={!f.network.trim()}>
        <SegmentedControl aria-label="What the rule does" value={f.deny} onChange={(deny) => to({ deny })} data={[{ value: "allow", label: "Allow" }, { value: "deny", label: "Deny" }]} />
        <TextInput data-autofocus label="Network, address or name" description="10.0.0.0/8, 192.0.2.7, www.example.org, or *.example.org for the names below it" value={f.network} onChange={(e) => to({ network: e.currentTarget.value })} maxLength={255} spellCheck={false} />
        <NativeSelect label="Site" value={f.site} onChange={(e) => to({ site: e.currentTarget.value })} data={[{ value: "", label: "Every site" }, ...(sites.data?.sites.map((s) => s.name) ?? [])]} />
        <NativeSelect label="For" value={f.role} onChange={(e) => to({ role: e.currentTarget.value })} data={[{ value: "", label: "Everybody who may scan" }, { value: "analyst", label: "Analysts and above" }, { value: "admin", label: "Admins" }]} />
        <TextInput label="Only this user" value={f.user} onChange={(e) => to({ user: e.currentTarget.value })} maxLength={255} autoComplete="off" spellCheck={false} />
        <TextInput type="date" label="Last day" description="Empty: no end" value={f.until} onChange={(e) => to({ until: e.currentTarget.value })} />
        <TextInput label="Why" placeholder="our servers at the provider, ticket 4711" value={f.note} onChange={(e) => to({ note: e.currentTarget.value })} maxLength={1024} />
        <p className="dim">{f.deny === "deny" ? "A rule that denies wins over all that allow." : "Only scan what you are allowed to scan. A name trusts its owner: it speaks of the addresses to which it leads."}</p>
      </Form>
    </Dialog>
  );
}

function Check({ admin }: { admin: boolean }) {
  const sites = $api.useQuery("get", "/api/v1/sites");
  const [text, setText] = useState("");
  const [site, setSite] = useState("");
  const [user, setUser] = useState("");
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Schema<"ScopeCheck"> | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const targets = text.split(/[\s,]+/).filter(Boolean);
  const submit = async (e: React.FormEvent) => {
    e.preventDefault();
    setBusy(true);
    try {
      const { data } = await api.POST("/api/v1/scope/check", { body: { targets, site: site || undefined, user: user.trim() || undefined } });
      setAnswer(data!);
      setWrong(null);
    } catch (error) {
      setAnswer(null);
      setWrong(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Try it out">
      <form className="settings-form" onSubmit={(e) => void submit(e)}>
        <div className="settings-inline">
          <TextInput className="settings-grow" label="Targets" placeholder="192.168.1.0/24 https://shop.example.org/" value={text} onChange={(e) => setText(e.currentTarget.value)} spellCheck={false} />
          {(sites.data?.sites.length ?? 0) > 1 && <NativeSelect label="Site" value={site} onChange={(e) => setSite(e.currentTarget.value)} data={[{ value: "", label: "default" }, ...sites.data!.sites.map((s) => s.name).filter((n) => n !== "default")]} />}
          {admin && <TextInput label="As user" placeholder="yourself" value={user} onChange={(e) => setUser(e.currentTarget.value)} maxLength={255} autoComplete="off" spellCheck={false} />}
          <Button type="submit" variant="default" loading={busy} disabled={targets.length === 0}>Check</Button>
        </div>
        <p className="dim">Names are looked up as a scan would. Nothing is scanned.</p>
        <div aria-live="polite">
          {wrong && <p className="settings-wrong"><Inert text={wrong} /></p>}
          {answer && <Answer answer={answer} />}
        </div>
      </form>
    </Panel>
  );
}

function Answer({ answer }: { answer: Schema<"ScopeCheck"> }) {
  return (
    <>
      <p><strong>{answer.allowed ? "A scan of all of them would begin." : "A scan of all of them would not begin."}</strong> <span className="dim">Site {answer.site}.</span></p>
      <ul className="settings-list">
        {answer.targets.map((t) => (
          <li key={t.target}>
            <Inert text={t.target} mono /> <Chip tone={t.allowed ? "good" : "high"}>{t.allowed ? "Allowed" : "Denied"}</Chip> <span className="dim"><Inert text={t.reason} />{t.addresses > 0 && `, ${count(t.addresses, "address", "addresses")}`}{t.denied > 0 && `, ${t.denied.toLocaleString()} of them denied`}</span>
            {t.hosts.length > 1 && <details><summary>{count(t.hosts.length, "address", "addresses")}</summary>{t.hosts.map((h) => <div key={h.address}><Inert text={h.address} mono /> <span className="dim"><Inert text={h.reason} /></span></div>)}</details>}
          </li>
        ))}
      </ul>
    </>
  );
}
