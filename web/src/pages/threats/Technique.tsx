// One technique of ATT&CK: what it is, which of one's own findings lead to it, and how it is noticed and prevented.
import { Button } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { $api, api, type Schema } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Facts, Page, Panel } from "../../ui/page";
import { Empty, Failure, Loading } from "../../ui/states";
import { Day } from "../../ui/when";
import { Chip, Decision } from "../../ui/words";
import { techniqueOf } from "./search";
import { kindOf, paragraphsOf, partsOf, tacticOf } from "./technique";
import "./threats.css";

export function TechniquePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const known = techniqueOf(id);
  if (!known) {
    return (
      <Page title="Technique">
        <Empty title="There is no such technique" action={<ToMatrix />}>Techniques are called T1190 or T1059.001.</Empty>
      </Page>
    );
  }
  return <Known key={known} id={known} />;
}

function ToMatrix() {
  return <Button component={Link} to="/threats" search={{ tab: "attack" } as never} variant="default">To the matrix</Button>;
}

function Known({ id }: { id: string }) {
  const { data: t, isError, error, refetch } = $api.useQuery("get", "/api/v1/techniques/{id}", { params: { path: { id } } }, { staleTime: 5 * 60_000 });
  if (isError && !t) return <Page title={id}><Failure error={error} what="the technique" retry={() => void refetch()} /></Page>;
  if (!t) return <Page title={id}><Panel><Loading rows={9} label={`Loading ${id}`} /></Panel></Page>;
  return (
    <Page title={`${t.id} ${t.name ?? ""}`.trim()} about="A technique of attackers, as MITRE ATT&CK describes it." actions={<ToMatrix />}>
      {t.asked && <p className="threats-says" role="note">You asked for {t.asked}. ATT&CK has revoked it; {t.id} stands in its place.</p>}
      {(t.revoked || t.deprecated) && <p className="threats-says" role="note">ATT&CK does not use this technique any more{t.replaced_by && <>; see <Link to="/threats/$id" params={{ id: t.replaced_by }}>{t.replaced_by}</Link></>}.</p>}
      <Own id={t.id} />
      <Panel title="What it is">
        <div className="threats-two">
          <Prose text={t.description} none="ATT&CK says no more." />
          <About t={t} />
        </div>
      </Panel>
      <Prevent t={t} />
      <Published t={t} />
      <Named title="Groups that use it" all={t.groups} none="ATT&CK names none." />
      <Named title="Software that does it" all={t.software} none="ATT&CK names none." />
      <p className="dim">{t.notices.map((n) => <span key={n}><Inert text={n} /> </span>)}</p>
    </Page>
  );
}

function About({ t }: { t: Schema<"Technique"> }) {
  return (
    <Facts
      rows={[
        ["Tactics", t.tactics.length > 0 ? t.tactics.map((x) => x.name ?? tacticOf(x.short_name)).join(", ") : <Missing key="m" />],
        ["Platforms", t.platforms.length > 0 ? <Inert key="p" text={t.platforms.join(", ")} /> : <Missing key="m" />],
        ["Part of", t.parent ? <Link key="l" to="/threats/$id" params={{ id: t.parent }}>{t.parent}</Link> : "no other technique"],
        ["Matrix", t.domain],
        ["Changed", <Day key="d" at={t.modified} />],
        ["Source", t.url && /^https:\/\//.test(t.url) ? <a key="a" href={t.url} target="_blank" rel="noreferrer noopener">MITRE ATT&CK <IconExternalLink size={13} aria-hidden="true" /></a> : "MITRE ATT&CK"],
      ]}
    />
  );
}

function Prose({ text, none }: { text: string | null; none: string }) {
  if (!text) return <p className="dim">{none}</p>;
  return (
    <div className="threats-prose">
      {paragraphsOf(text).map((p, i) => (
        <p key={i}>{p.map((s, n) => (s.code ? <code key={n}><Inert text={s.text} /></code> : <Inert key={n} text={s.text} />))}</p>
      ))}
    </div>
  );
}

// So many of one's own CVEs are asked about: the most urgent ones. A request holds some thirty.
const asked = 300;

/** useOwn are those of one's own most urgent CVEs that lead to the technique, by what is published and by our own rules. */
function useOwn(id: string) {
  return useQuery({
    queryKey: ["threats", "own", id],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const { data } = await api.GET("/api/v1/findings/groups", { params: { query: { by: "cve", limit: asked } }, signal });
      const groups = data!.groups.filter((g) => g.key?.startsWith("CVE-"));
      const leads = new Set<string>();
      for (const part of partsOf(groups.map((g) => g.key!), 480)) {
        const { data: some } = await api.GET("/api/v1/cves", { params: { query: { technique: id, query: part.join(" "), limit: part.length } }, signal });
        for (const c of some!.items) leads.add(c.id);
      }
      return { groups: groups.filter((g) => leads.has(g.key!)), all: data!.next === null, looked: groups.length };
    },
  });
}

function Own({ id }: { id: string }) {
  const own = useOwn(id);
  return (
    <Panel title="Your findings that lead to it" flush>
      {own.isError ? (
        <Failure error={own.error} what="your findings" retry={() => void own.refetch()} />
      ) : !own.data ? (
        <Loading rows={4} label="Looking through your findings" />
      ) : own.data.groups.length === 0 ? (
        <Empty title={own.data.all ? "None of your open findings leads to it" : `None of your ${count(own.data.looked, "most urgent CVE")} leads to it`}>Mapped are CVEs only, by what CTID published and by rules from weakness and CVSS vector.</Empty>
      ) : (
        <>
          <Table groups={own.data.groups} />
          {!own.data.all && <p className="threats-note">Among your {count(own.data.looked, "most urgent CVE")}; there may be others.</p>}
        </>
      )}
    </Panel>
  );
}

function Table({ groups }: { groups: Schema<"Group">[] }) {
  return (
    <table className="table threats-table">
      <thead>
        <tr>
          <th scope="col">CVE</th>
          <th scope="col">Decision</th>
          <th scope="col" className="right">Findings</th>
          <th scope="col" className="right wide-only">Hosts</th>
          <th scope="col" className="wide-only">Due</th>
          <th scope="col" className="wide-only">Exploited</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((g) => (
          <tr key={g.key}>
            <th scope="row" className="threats-cve"><Link to="/catalogue/$id" params={{ id: g.key! }}>{g.key}</Link></th>
            <td><Decision value={g.decision} /></td>
            <td className="right num"><Link to="/findings" search={{ cve: g.key! }}>{count(g.findings, "finding")}</Link></td>
            <td className="right num wide-only">{count(g.hosts, "host")}</td>
            <td className="wide-only">{g.due ? <Day at={g.due} due /> : <Missing why="no due day" />}</td>
            <td className="wide-only">{g.kev > 0 ? <Chip tone="critical" title="CISA lists it as known to be exploited">KEV</Chip> : <span className="dim">not in KEV</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Prevent({ t }: { t: Schema<"Technique"> }) {
  return (
    <Panel title="How it is prevented and noticed">
      <div className="threats-stack">
        <section>
          <h3>Prevent</h3>
          {t.mitigations.length === 0 ? <p className="dim">ATT&CK names no way.</p> : <dl className="threats-named">{t.mitigations.map((m) => <Entry key={m.id} n={m} />)}</dl>}
        </section>
        <section>
          <h3>Notice</h3>
          <Prose text={t.detection} none="ATT&CK names no way." />
        </section>
      </div>
    </Panel>
  );
}

function Entry({ n }: { n: Schema<"Named"> }) {
  return (
    <>
      <dt><Inert text={n.name ?? n.id} /> <span className="dim">{n.id}</span></dt>
      <dd>{n.note ? <Prose text={n.note} none="" /> : <Missing why="no note" />}</dd>
    </>
  );
}

/** Short folds a long list behind a button. */
function Short<T>({ all, shown, children }: { all: readonly T[]; shown: number; children: (some: readonly T[]) => ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      {children(open ? all : all.slice(0, shown))}
      {all.length > shown && <Button variant="subtle" size="xs" m={6} onClick={() => setOpen(!open)} aria-expanded={open}>{open ? "Show fewer" : `Show all ${all.length.toLocaleString()}`}</Button>}
    </>
  );
}

function Published({ t }: { t: Schema<"Technique"> }) {
  return (
    <Panel title="Exploited CVEs that are mapped to it" flush actions={<Link to="/catalogue" search={{ technique: t.id } as never}>All CVEs of the catalogue</Link>}>
      {t.cves.length === 0 ? (
        <Empty title="None is published">CTID maps what is exploited; our own rules also derive techniques, in the catalogue.</Empty>
      ) : (
        <Short all={[...t.cves].reverse()} shown={8}>
          {(some) => (
            <table className="table threats-table">
              <thead><tr><th scope="col">CVE</th><th scope="col">How</th><th scope="col" className="wide-only">Comment of CTID</th></tr></thead>
              <tbody>
                {some.map((c, i) => (
                  <tr key={`${c.cve} ${c.kind} ${c.technique} ${i}`}>
                    <th scope="row" className="threats-cve"><Link to="/catalogue/$id" params={{ id: c.cve }} className="nowrap">{c.cve}</Link>{c.technique !== t.id && <div className="threats-title">as {c.technique}</div>}</th>
                    <td>{kindOf(c.kind)}<div className="threats-title">source: {c.source.toUpperCase()}</div></td>
                    <td className="wide-only"><Inert text={c.comment} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Short>
      )}
    </Panel>
  );
}

function Named({ title, all, none }: { title: string; all: Schema<"Named">[]; none: string }) {
  return (
    <Panel title={title}>
      {all.length === 0 ? <p className="dim">{none}</p> : <Short all={all} shown={5}>{(some) => <dl className="threats-named">{some.map((n) => <Entry key={n.id} n={n} />)}</dl>}</Short>}
    </Panel>
  );
}
