// Users: who may sign in, with which role, for which sites.
import { Button, Menu, Checkbox, MultiSelect, NativeSelect, TextInput } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";

import { $api, api, type Schema } from "../../api/client";
import { useMe } from "../../api/session";
import { Inert, plain } from "../../ui/inert";
import { Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { When } from "../../ui/when";
import { Chip } from "../../ui/words";
import { useAct } from "./act";
import { Dialog, Form, Once, Sure } from "./parts";

type User = Schema<"User">;
type Open = { what: "add" } | { what: "change" | "reset" | "remove" | "disable" | "sessions"; user: User };

const path = "/api/v1/users";

/** secretOf is a password that was made, until its window is closed. */
type Secret = { name: string; password: string };

export function Users() {
  const [open, setOpen] = useState<Open | null>(null);
  const [secret, setSecret] = useState<Secret | null>(null);
  const close = () => setOpen(null);
  const made = (s: Secret | null) => {
    setOpen(null);
    setSecret(s);
  };
  return (
    <>
      <Panel title="Everybody who may sign in" flush actions={<Button size="xs" onClick={() => setOpen({ what: "add" })}>Add user</Button>}>
        <List ask={setOpen} />
      </Panel>
      {open?.what === "add" && <Add close={close} made={made} />}
      {open?.what === "change" && <Change user={open.user} close={close} />}
      {open && open.what !== "add" && open.what !== "change" && <Dangers what={open.what} user={open.user} close={close} made={made} />}
      {secret && <Once title={`Password of ${secret.name}`} secret={secret.password} close={() => setSecret(null)} says="It is shown this once and kept nowhere. It has to be changed at the first sign-in." />}
    </>
  );
}

export function useUsers() {
  return useInfiniteQuery({
    queryKey: ["get", path, "pages"],
    initialPageParam: "",
    queryFn: async ({ pageParam, signal }) => (await api.GET("/api/v1/users", { params: { query: { cursor: pageParam || undefined, limit: 100 } }, signal })).data!,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

function List({ ask }: { ask: (open: Open) => void }) {
  const users = useUsers();
  if (users.isError && !users.data) return <Failure error={users.error} what="the users" retry={() => void users.refetch()} />;
  if (!users.data) return <Loading rows={4} label="Loading users" />;
  const all = users.data.pages.flatMap((p) => p.users);
  if (all.length === 0) return <Empty title="There is no user yet">Add one, then start the server without <code>--auth off</code>.</Empty>;
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Sees</th>
            <th scope="col" className="wide-only">State</th>
            <th scope="col" className="wide-only">Last sign-in</th>
            <th scope="col"><span className="sr">Change</span></th>
          </tr>
        </thead>
        <tbody>{all.map((u) => <Line key={u.id} u={u} ask={ask} />)}</tbody>
      </table>
      {users.hasNextPage && <div className="settings-pages"><Button variant="default" size="xs" loading={users.isFetchingNextPage} onClick={() => void users.fetchNextPage()}>Show more</Button></div>}
    </>
  );
}

function Line({ u, ask }: { u: User; ask: (open: Open) => void }) {
  const me = useMe();
  const own = u.id === me.user_id;
  return (
    <tr>
      <th scope="row"><Inert text={u.name} />{own && <span className="settings-sub"> you</span>}<div className="settings-sub">{u.login === "oidc" ? "signs in with OpenID Connect" : "signs in with a password"}</div></th>
      <td>{u.role}</td>
      <td>{u.all_sites ? "all sites" : u.sites.length > 0 ? <Inert text={u.sites.join(", ")} /> : <span className="dim">no site</span>}</td>
      <td className="wide-only">{u.disabled ? <Chip tone="medium">Disabled</Chip> : u.must_change ? <Chip tone="info" title="chooses a password at the next sign-in">New password due</Chip> : <Chip tone="good">Active</Chip>}</td>
      <td className="wide-only">{u.last_login ? <When at={u.last_login} /> : <span className="dim">never</span>}</td>
      <td className="right">
        <Menu position="bottom-end" shadow="md">
          <Menu.Target><Button size="compact-sm" variant="subtle" color="gray" aria-label={`Change ${plain(u.name)}`}><IconDots size={16} aria-hidden="true" /></Button></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => ask({ what: "change", user: u })}>Role and sites</Menu.Item>
            {u.login !== "oidc" && <Menu.Item onClick={() => ask({ what: "reset", user: u })}>Reset password</Menu.Item>}
            <Menu.Item onClick={() => ask({ what: "sessions", user: u })}>End sessions</Menu.Item>
            <Menu.Item onClick={() => ask({ what: "disable", user: u })}>{u.disabled ? "Enable" : "Disable"}</Menu.Item>
            <Menu.Item color="red" onClick={() => ask({ what: "remove", user: u })}>Remove</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  );
}

type Rights = { role: "viewer" | "analyst" | "admin"; all: boolean; sites: string[] };

function RightsFields({ rights, set }: { rights: Rights; set: (r: Rights) => void }) {
  const sites = $api.useQuery("get", "/api/v1/sites");
  return (
    <>
      <NativeSelect
        label="Role" value={rights.role} onChange={(e) => set({ ...rights, role: e.currentTarget.value as Rights["role"] })}
        data={[{ value: "viewer", label: "Viewer: reads" }, { value: "analyst", label: "Analyst: also scans, imports and triages" }, { value: "admin", label: "Admin: does everything" }]}
      />
      {rights.role === "admin" ? <p className="dim">An admin sees all sites.</p> : (
        <>
          <Checkbox label="Sees all sites, also those that come later" checked={rights.all} onChange={(e) => set({ ...rights, all: e.currentTarget.checked })} />
          {!rights.all && <MultiSelect label="Sites" placeholder={rights.sites.length ? undefined : "No site: sees nothing"} data={sites.data?.sites.map((s) => s.name) ?? []} value={rights.sites} onChange={(v) => set({ ...rights, sites: v })} searchable hiddenInputProps={{ "aria-hidden": true }} />}
        </>
      )}
    </>
  );
}

function Add({ close, made }: { close: () => void; made: (s: Secret | null) => void }) {
  const { act, busy } = useAct();
  const [name, setName] = useState("");
  const [rights, setRights] = useState<Rights>({ role: "viewer", all: true, sites: [] });
  const submit = async () => {
    let secret: Secret | null = null;
    const all = rights.role === "admin" || rights.all;
    const done = await act(
      async () => {
        const { data } = await api.POST("/api/v1/users", { body: { name: name.trim(), role: rights.role, all_sites: all, sites: all ? undefined : rights.sites } });
        if (data?.password) secret = { name: data.name, password: data.password };
      },
      { done: `${name.trim()} was added.`, failed: "The user was not added", stale: [path] },
    );
    if (done) made(secret);
  };
  return (
    <Dialog title="Add user" close={close}>
      <Form submit={() => void submit()} label="Add user" busy={busy} close={close} disabled={!name.trim() || (rights.role !== "admin" && !rights.all && rights.sites.length === 0)}>
        <TextInput data-autofocus label="Name" description="Kept in lower case; any letters." value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={128} autoComplete="off" spellCheck={false} />
        <RightsFields rights={rights} set={setRights} />
        <p className="dim">A password is made and shown once. It has to be changed at the first sign-in.</p>
      </Form>
    </Dialog>
  );
}

function Change({ user, close }: { user: User; close: () => void }) {
  const { act, busy } = useAct();
  const [rights, setRights] = useState<Rights>({ role: user.role as Rights["role"], all: user.all_sites, sites: user.sites });
  const at = { params: { path: { id: user.id } } };
  const bodyOf = (r: Rights) => ({ role: r.role, ...(r.role === "admin" || r.all ? { all_sites: true } : { all_sites: false, sites: r.sites }) });
  const before: Rights = { role: user.role as Rights["role"], all: user.all_sites, sites: user.sites };
  const submit = async () => {
    const done = await act(() => api.PATCH("/api/v1/users/{id}", { ...at, body: bodyOf(rights) }), {
      done: `${user.name} is ${rights.role} now. The sessions of ${user.name} have ended.`, failed: "The user was not changed", stale: [path],
      undo: () => api.PATCH("/api/v1/users/{id}", { ...at, body: bodyOf(before) }),
    });
    if (done) close();
  };
  return (
    <Dialog title={`Role and sites of ${user.name}`} close={close}>
      <Form submit={() => void submit()} label="Change" busy={busy} close={close}>
        <RightsFields rights={rights} set={setRights} />
        <p className="dim">A change ends the user's sessions.</p>
      </Form>
    </Dialog>
  );
}

function Dangers({ what, user, close, made }: { what: "reset" | "remove" | "disable" | "sessions"; user: User; close: () => void; made: (s: Secret | null) => void }) {
  const { act } = useAct();
  const at = { params: { path: { id: user.id } } };
  const stale = [path];
  if (what === "remove")
    return (
      <Sure title={`Remove ${user.name}`} label="Remove" typed={user.name} close={close} act={() => act(() => api.DELETE("/api/v1/users/{id}", at), { done: `${user.name} was removed.`, failed: "The user was not removed", stale })}>
        The user, its sessions and its tokens go. What the user did stays in the audit trail. This cannot be taken back.
      </Sure>
    );
  if (what === "reset") {
    let secret: Secret | null = null;
    const reset = async () => {
      const { data } = await api.POST("/api/v1/users/{id}/password", { ...at, body: {} });
      if (data?.password) secret = { name: user.name, password: data.password };
    };
    return (
      <Sure title={`Reset the password of ${user.name}`} label="Make a new password" close={() => (secret ? made(secret) : close())} act={() => act(reset, { done: `${user.name} has a new password.`, failed: "The password was not reset", stale })}>
        The old password and all sessions of <Inert text={user.name} /> end at once. The new one is shown to you once.
      </Sure>
    );
  }
  if (what === "sessions")
    return (
      <Sure title={`End the sessions of ${user.name}`} label="End sessions" close={close} act={() => act(() => api.DELETE("/api/v1/users/{id}/sessions", at), { done: `The sessions of ${user.name} have ended.`, failed: "The sessions go on", stale })}>
        <Inert text={user.name} /> has to sign in again everywhere. Tokens stay good.
      </Sure>
    );
  const to = !user.disabled;
  return (
    <Sure
      title={`${to ? "Disable" : "Enable"} ${user.name}`} label={to ? "Disable" : "Enable"} close={close}
      act={() => act(() => api.PATCH("/api/v1/users/{id}", { ...at, body: { disabled: to } }), { done: `${user.name} is ${to ? "disabled" : "enabled"}.`, failed: "The user was not changed", stale, undo: to ? undefined : () => api.PATCH("/api/v1/users/{id}", { ...at, body: { disabled: true } }) })}
    >
      {to ? <>The sessions of <Inert text={user.name} /> end and the tokens are revoked for good. Enabling brings neither back.</> : <><Inert text={user.name} /> may sign in again. Revoked tokens stay revoked.</>}
    </Sure>
  );
}
