// What is done with the list as a whole: group it, keep it as a view, choose its columns, take it away as a file.
import { ActionIcon, Button, Menu, Modal, Switch, TextInput } from "@mantine/core";
import { IconBookmark, IconChevronDown, IconColumns3, IconDownload, IconStack2 } from "@tabler/icons-react";
import { defaultParseSearch, defaultStringifySearch } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";

import { $api, api, base, queries, type Schema } from "../../api/client";
import { useMay } from "../../api/session";
import { Inert } from "../../ui/inert";
import { failed, said } from "../../ui/said";
import { heads } from "./columns";
import { widths } from "./layout";
import { asked, groupings, read, sortOf, write, type Chosen, type Grouping } from "./search";

type View = Schema<"SavedView">;
type Props = { chosen: Chosen; choose: (change: Partial<Chosen>) => void; hidden: string[]; setHidden: (ids: string[]) => void; me: Schema<"Me"> };

/** Menus stand beside the page's title. */
export function Menus(props: Props) {
  return (
    <>
      <Views {...props} />
      <GroupBy {...props} />
      {!props.chosen.group && <Columns {...props} />}
      <Export chosen={props.chosen} />
    </>
  );
}

export const groupNames: Record<Grouping, string> = { remedy: "What to do", host: "Host", cve: "CVE", product: "Product", site: "Site", owner: "Owner", assignee: "Assigned to" };

function GroupBy({ chosen, choose }: Props) {
  return (
    <Menu shadow="md" position="bottom-end" width={190}>
      <Menu.Target>
        <Button variant={chosen.group ? "light" : "default"} leftSection={<IconStack2 size={15} aria-hidden="true" />} rightSection={<IconChevronDown size={13} aria-hidden="true" />}>{chosen.group ? `By ${groupNames[chosen.group].toLowerCase()}` : "Group"}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {[null, ...groupings].map((g) => (
          <Menu.RadioItem key={g ?? "none"} value={g ?? "none"} checked={chosen.group === g} closeMenuOnClick onClick={() => choose({ group: g, open: null })}>{g ? groupNames[g] : "No groups"}</Menu.RadioItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Columns({ hidden, setHidden }: Props) {
  const free = widths.filter((w) => w.keep < 100);
  return (
    <Menu shadow="md" position="bottom-end" width={190} closeOnItemClick={false}>
      <Menu.Target><ActionIcon variant="default" size={36} aria-label="Columns" title="Columns"><IconColumns3 size={16} aria-hidden="true" /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Shown where there is room</Menu.Label>
        {free.map((w) => {
          const on = !hidden.includes(w.id);
          return <Menu.CheckboxItem key={w.id} checked={on} onChange={() => setHidden(on ? [...hidden, w.id] : hidden.filter((h) => h !== w.id))}>{heads[w.id]?.name}</Menu.CheckboxItem>;
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

const formats = [["csv", "CSV", "for spreadsheets"], ["json", "JSON", "with all evidence"], ["ndjson", "JSON lines", "one finding a line"], ["sarif", "SARIF", "confirmed ones, for code scanning"]] as const;

function Export({ chosen }: { chosen: Chosen }) {
  const href = (format: string) => {
    const query = new URLSearchParams({ format, sort: sortOf(chosen.sort) });
    for (const [name, value] of Object.entries(asked(chosen.filter))) query.set(name, String(value));
    return new URL(`api/v1/findings/export?${query.toString()}`, base).href;
  };
  return (
    <Menu shadow="md" position="bottom-end" width={250}>
      <Menu.Target><ActionIcon variant="default" size={36} aria-label="Export this list" title="Export this list"><IconDownload size={16} aria-hidden="true" /></ActionIcon></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>All findings of this list</Menu.Label>
        {formats.map(([format, name, what]) => <Menu.Item key={format} component="a" href={href(format)} download={`findings.${format}`}>{name} <span className="dim">{what}</span></Menu.Item>)}
      </Menu.Dropdown>
    </Menu>
  );
}

const weekAgo = () => new Date(Date.now() - 7 * 86_400_000).toISOString().slice(0, 10);

const builtIn = (me: string): [string, Record<string, unknown>][] => [
  ["All", {}],
  ["Act now", { decision: "act" }],
  ["Known exploited", { kev: true }],
  ["New this week", { first_seen_after: weekAgo(), sort: "first_seen" }],
  ["Overdue", { overdue: true, sort: "due" }],
  ["Mine", { assignee: me }],
  ["Potential", { potential: true }],
];

const same = (a: Record<string, unknown>, b: Record<string, unknown>) => defaultStringifySearch(write({ ...read(a), open: null })) === defaultStringifySearch(write({ ...read(b), open: null }));
const searchOf = (view: View) => defaultParseSearch(view.search) as Record<string, unknown>;

function Views({ chosen, choose, me }: Props) {
  const [edit, setEdit] = useState<View | "new" | null>(null);
  const { data } = $api.useQuery("get", "/api/v1/views");
  const here = write(chosen);
  const own = (data?.views ?? []).filter((v) => v.page === "findings");
  const at = own.find((v) => same(searchOf(v), here));
  const name = at?.name ?? builtIn(me.name).find(([, s]) => same(s, here))?.[0];
  const go = (search: Record<string, unknown>) => choose({ ...read(search), open: null });
  const mine = own.filter((v) => v.mine);
  const others = own.filter((v) => !v.mine);
  const line = (key: string | number, label: string, search: Record<string, unknown>) => (
    <Menu.Item key={key} onClick={() => go(search)} aria-current={same(search, here) || undefined} rightSection={same(search, here) ? <span aria-hidden="true">✓</span> : null}><Inert text={label} cut /></Menu.Item>
  );
  return (
    <>
      <Menu shadow="md" position="bottom-end" width={250}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} aria-hidden="true" />} rightSection={<IconChevronDown size={13} aria-hidden="true" />} maw={220}>{name ? <Inert text={name} cut /> : "Views"}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {builtIn(me.name).map(([label, search]) => line(label, label, search))}
          {mine.length > 0 && <Menu.Label>Mine</Menu.Label>}
          {mine.map((v) => line(v.id, v.shared ? `${v.name} (shared)` : v.name, searchOf(v)))}
          {others.length > 0 && <Menu.Label>Of others</Menu.Label>}
          {others.map((v) => line(v.id, `${v.name}, by ${v.by}`, searchOf(v)))}
          <Menu.Divider />
          <Menu.Item onClick={() => setEdit("new")}>Save what is chosen …</Menu.Item>
          {at?.mine && <Menu.Item onClick={() => setEdit(at)}>Rename or share “<Inert text={at.name} />” …</Menu.Item>}
          {at?.mine && <Menu.Item color="red" onClick={() => void remove(at)}>Delete “<Inert text={at.name} />”</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {edit && <Edit view={edit === "new" ? null : edit} search={defaultStringifySearch(write({ ...chosen, open: null }))} close={() => setEdit(null)} />}
    </>
  );
}

const again = () => queries.invalidateQueries({ queryKey: ["get", "/api/v1/views"] });

async function remove(view: View) {
  try {
    await api.DELETE("/api/v1/views/{id}", { params: { path: { id: view.id } } });
    said(`The view ${view.name} is gone.`);
  } catch (error) {
    failed(error, "The view was not deleted");
  }
  await again();
}

function Edit({ view, search, close }: { view: View | null; search: string; close: () => void }) {
  const may = useMay("analyst");
  const [name, setName] = useState(view?.name ?? "");
  const [shared, setShared] = useState(view?.shared ?? false);
  const [busy, setBusy] = useState(false);
  const save = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    try {
      if (view) await api.PATCH("/api/v1/views/{id}", { params: { path: { id: view.id } }, body: { name, shared } });
      else await api.POST("/api/v1/views", { body: { name, page: "findings", search, shared } });
      await again();
      close();
    } catch (error) {
      setBusy(false);
      failed(error, "The view was not saved");
    }
  };
  return (
    <Modal opened onClose={close} title={view ? "Rename or share" : "Save as a view"} size="sm" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(e) => void save(e)} style={{ display: "grid", gap: 12 }}>
        <TextInput data-autofocus label="Name" required maxLength={80} value={name} onChange={(e) => setName(e.currentTarget.value)} placeholder="What is due this week" />
        {may && <Switch checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} label="Everybody sees it" />}
        {!view && <p className="dim">It keeps the filters, the order and the groups.</p>}
        <Button type="submit" loading={busy} disabled={name.trim() === ""}>Save</Button>
      </form>
    </Modal>
  );
}
