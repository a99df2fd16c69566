// Tokens: for programs that use the API, and for workers.
import { Button, Checkbox, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMay, useMe } from "../../api/session";
import { useChosen } from "../../ui/chosen";
import { Inert, Missing, plain } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { useAct } from "./act";
import { scopesOf } from "./document";
import { Dialog, Form, Once, Sure } from "./parts";
import { repairTokens } from "./search";
import { useDocument } from "./useDocument";

type Token = Schema<"Token">;

const path = "/api/v1/tokens";

export function Tokens() {
  const me = useMe();
  const may = useMay("admin");
  const [{ all }, choose] = useChosen(repairTokens);
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const [secret, setSecret] = useState<{ name: string; token: string } | null>(null);
  return (
    <>
      <Panel
        title={may ? "Everybody's tokens" : "Your tokens"} flush
        actions={<><Checkbox size="xs" label="Also ended ones" checked={all} onChange={(e) => choose({ all: e.currentTarget.checked })} /><Button size="xs" onClick={() => setAdding(true)}>Make a token</Button></>}
      >
        <List all={all} revoke={setRevoking} />
      </Panel>
      {me.auth_off && <p className="dim">While the server runs with <code>--auth off</code> a token is good for what its role may.</p>}
      {adding && <Add close={() => setAdding(false)} made={(s) => { setAdding(false); setSecret(s); }} />}
      {revoking && <Revoke token={revoking} close={() => setRevoking(null)} />}
      {secret && <Once title={`Token ${secret.name}`} secret={secret.token} close={() => setSecret(null)} says={<>It is shown this once. Send it as <code>Authorization: Bearer …</code>, never in an address.</>} />}
    </>
  );
}

function List({ all, revoke }: { all: boolean; revoke: (t: Token) => void }) {
  const admin = useMay("admin");
  const tokens = useInfiniteQuery({
    queryKey: ["get", path, "pages"],
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => (await api.GET("/api/v1/tokens", { params: { query: { cursor: pageParam || undefined, limit: 200 } }, signal })).data!,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  if (tokens.isError && !tokens.data) return <Failure error={tokens.error} what="the tokens" retry={() => void tokens.refetch()} />;
  if (!tokens.data) return <Loading rows={4} label="Loading tokens" />;
  const every = tokens.data.pages.flatMap((p) => p.tokens);
  const shown = every.filter((t) => all || t.state === "valid");
  if (shown.length === 0) return <Empty title={every.length > 0 ? "No token is good any more" : "There is no token yet"}>Make one for a program that reads findings or sends reports, so that it needs no password.</Empty>;
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">May</th>
            <th scope="col" className="wide-only">Last used</th>
            <th scope="col">Ends</th>
            <th scope="col"><span className="sr">Revoke</span></th>
          </tr>
        </thead>
        <tbody>{shown.map((t) => <Line key={t.id} t={t} whose={admin} revoke={revoke} />)}</tbody>
      </table>
      {tokens.hasNextPage && <div className="settings-pages"><Button variant="default" size="xs" loading={tokens.isFetchingNextPage} onClick={() => void tokens.fetchNextPage()}>Show more</Button></div>}
    </>
  );
}

function Line({ t, whose, revoke }: { t: Token; whose: boolean; revoke: (t: Token) => void }) {
  return (
    <tr>
      <th scope="row">
        <Inert text={t.name} />
        <div className="settings-sub">{whose && t.user && <>of <Inert text={t.user} />, </>}made by <Inert text={t.by} /> <When at={t.created_at} /></div>
      </th>
      <td>
        {t.role === "worker" ? <>run the tools of site <Inert text={t.site} /></> : <>{t.role}, {t.all_sites ? "all sites" : <Inert text={t.sites.join(", ") || "no site"} />}</>}
        {t.scopes.length > 0 && <div className="settings-sub mono">{t.scopes.join(", ")}</div>}
      </td>
      <td className="wide-only">{t.last_used ? <When at={t.last_used} /> : <span className="dim">never</span>}{t.last_from && <div className="settings-sub">from <Inert text={t.last_from} /></div>}</td>
      <td>{t.state === "revoked" ? <Chip tone="info">Revoked</Chip> : t.state === "expired" ? <Chip tone="info">Expired</Chip> : t.expires_at ? <When at={t.expires_at} /> : <Missing why="when it is revoked" />}</td>
      <td className="right">{t.state === "valid" && <Button size="compact-xs" variant="subtle" color="red" onClick={() => revoke(t)} aria-label={`Revoke the token ${plain(t.name)}`}>Revoke</Button>}</td>
    </tr>
  );
}

function Revoke({ token, close }: { token: Token; close: () => void }) {
  const { act } = useAct();
  return (
    <Sure
      title={`Revoke ${token.name}`} label="Revoke" close={close}
      act={() => act(() => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id: token.id } } }), { done: `The token ${token.name} was revoked.`, failed: "The token was not revoked", stale: [path] })}
    >
      Programs that use it are refused at once{token.role === "worker" && ", and its worker ends what it does"}. This cannot be taken back.
    </Sure>
  );
}

const lives = [{ value: "7", label: "in 7 days" }, { value: "30", label: "in 30 days" }, { value: "90", label: "in 90 days" }, { value: "365", label: "in a year" }, { value: "never", label: "when it is revoked" }];

const ranked = ["viewer", "analyst", "admin"] as const;

function Add({ close, made }: { close: () => void; made: (s: { name: string; token: string }) => void }) {
  const me = useMe();
  const admin = useMay("admin");
  const sites = $api.useQuery("get", "/api/v1/sites");
  const doc = useDocument();
  const { act, busy } = useAct();
  const [name, setName] = useState("");
  const [user, setUser] = useState("");
  const [role, setRole] = useState<(typeof ranked)[number] | "worker">("viewer");
  const [site, setSite] = useState("");
  const [limited, setLimited] = useState<string[]>([]);
  const [scopes, setScopes] = useState<string[]>([]);
  const [life, setLife] = useState("90");
  const worker = role === "worker";
  const names = sites.data?.sites.map((s) => s.name) ?? [];
  const submit = async () => {
    let secret: { name: string; token: string } | null = null;
    const ends = life === "never" ? { never_expires: true } : { expires_at: new Date(Date.now() + Number(life) * 86_400_000).toISOString() };
    const body = worker
      ? { name: name.trim(), role, site: site || names[0], ...(life === "never" ? {} : ends) }
      : { name: name.trim(), role, user: user.trim() || undefined, sites: limited.length ? limited : undefined, scopes: scopes.length ? scopes : undefined, ...ends };
    const done = await act(
      async () => {
        const { data } = await api.POST("/api/v1/tokens", { body });
        secret = { name: data!.name, token: data!.token };
      },
      { done: `The token ${name.trim()} was made.`, failed: "The token was not made", stale: [path] },
    );
    if (done && secret) made(secret);
  };
  return (
    <Dialog title="Make a token" close={close} size="lg">
      <Form submit={() => void submit()} label="Make the token" busy={busy} close={close} disabled={!name.trim()}>
        <TextInput data-autofocus label="What it is for" value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={100} placeholder="CI pipeline" />
        <NativeSelect
          label="Role" value={role} onChange={(e) => setRole(e.currentTarget.value as typeof role)}
          data={[...ranked.filter((r) => ranked.indexOf(r) <= ranked.indexOf(me.role as "viewer")).map((r) => ({ value: r, label: { viewer: "Viewer: reads", analyst: "Analyst: also scans, imports and triages", admin: "Admin: does everything" }[r] })), ...(admin ? [{ value: "worker", label: "Worker: runs the tools of one site" }] : [])]}
        />
        {worker ? (
          <NativeSelect label="Site" value={site || names[0]} onChange={(e) => setSite(e.currentTarget.value)} data={names} />
        ) : (
          <>
            {admin && <TextInput label="Whose" description="Empty: yours. A token may do no more than its user." value={user} onChange={(e) => setUser(e.currentTarget.value)} maxLength={128} autoComplete="off" />}
            <MultiSelect label="Scopes" description="It may only do this. Empty: all that the role may." data={doc.data ? scopesOf(doc.data) : []} value={scopes} onChange={setScopes} searchable clearable placeholder={scopes.length ? undefined : "All"} />
            <MultiSelect label="Sites" description="It sees only what belongs to these. Empty: all that its user sees." data={names} value={limited} onChange={setLimited} searchable clearable placeholder={limited.length ? undefined : "All"} />
          </>
        )}
        <NativeSelect label="Ends" value={life} onChange={(e) => setLife(e.currentTarget.value)} data={lives} />
      </Form>
    </Dialog>
  );
}
