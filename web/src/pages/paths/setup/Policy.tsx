// The network policy: what is in force, and declaring another one by a file.
import { Button, CopyButton } from "@mantine/core";
import { IconFileCheck } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";

import { $api, api } from "../../../api/client";
import { useMay } from "../../../api/session";
import { Inert } from "../../../ui/inert";
import { count } from "../../../ui/numbers";
import { Panel } from "../../../ui/page";
import { Empty, Failure, Loading } from "../../../ui/states";
import { When } from "../../../ui/when";
import { Chip } from "../../../ui/words";
import { example, isDeclared, yamlOf, type Policy as Declared } from "./policy";
import { deed } from "./undo";

const Declare = lazy(() => import("./Declare").then((m) => ({ default: m.Declare })));
const Sure = lazy(() => import("../../settings/parts").then((m) => ({ default: m.Sure })));

const path = "/api/v1/attack-paths/policy";

export function Policy() {
  const admin = useMay("admin");
  const policy = $api.useQuery("get", path, {}, { staleTime: 15_000 });
  const [open, setOpen] = useState<"declare" | "forget" | null>(null);
  const doc = policy.data;
  const there = doc && isDeclared(doc);
  const forget = () => deed(() => api.DELETE(path), { done: "No policy is in force any more; what sites suggest is assumed.", failed: "The policy was not deleted" });
  return (
    <Panel
      title="Network policy" flush
      actions={doc && (
        <>
          {there && <Button variant="default" size="xs" onClick={() => save(doc)}>Download</Button>}
          {admin && there && <Button variant="default" color="red" size="xs" onClick={() => setOpen("forget")}>Delete …</Button>}
          {admin && <Button size="xs" onClick={() => setOpen("declare")}>{there ? "Replace …" : "Declare …"}</Button>}
        </>
      )}
    >
      <p className="ps-says">What firewalls let through: the first rule that says anything of a connection decides. Paths rest on it; it never changes what may be scanned.</p>
      {policy.isError && !doc ? <Failure error={policy.error} what="the policy" retry={() => void policy.refetch()} /> : !doc ? <Loading rows={4} label="Loading the policy" /> : there ? <InForce doc={doc} /> : <None admin={admin} />}
      <Suspense>
        {open === "declare" && doc && <Declare now={doc} close={() => setOpen(null)} />}
        {open === "forget" && <Sure title="Delete the policy" label="Delete it" act={forget} close={() => setOpen(null)}><p>{count(doc?.rules.length ?? 0, "rule")} go. Where nothing was declared, a site is taken to reach only itself. Download the policy first if you may want it back.</p></Sure>}
      </Suspense>
    </Panel>
  );
}

function InForce({ doc }: { doc: Declared }) {
  return (
    <>
      <p className="ps-says"><Chip tone="good" icon={<IconFileCheck size={12} stroke={2.2} aria-hidden="true" />}>In force</Chip> <Inert text={doc.source ?? "a policy"} />, declared <When at={doc.at} /> by <Inert text={doc.by} />.</p>
      {doc.rules.length > 0 && (
        <div className="scroll-x" tabIndex={0} role="region" aria-label="Rules in force">
          <table className="table ps-rules" aria-label="Rules in force">
            <thead><tr><th scope="col" className="right">No</th><th scope="col">Action</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Ports</th><th scope="col">Note</th></tr></thead>
            <tbody>
              {doc.rules.map((r) => (
                <tr key={r.n}>
                  <td className="num right dim">{r.n}</td>
                  <td><Chip tone={r.allow ? "good" : "high"}>{r.allow ? "Allow" : "Deny"}</Chip></td>
                  <td><Inert text={r.from} mono /></td>
                  <td><Inert text={r.to} mono /></td>
                  <td>{r.ports.length > 0 ? <Inert text={r.ports.join(", ")} mono /> : <span className="dim">every port</span>}</td>
                  <td>{r.note ? <Inert text={r.note} /> : null}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(doc.same.length > 0 || doc.clients.length > 0) && (
        <dl className="facts ps-facts">
          {doc.same.length > 0 && <><dt>One machine each</dt><dd>{doc.same.map((g, i) => <div key={i}><Inert text={g.join(" = ")} mono /></div>)}</dd></>}
          {doc.clients.length > 0 && <><dt>Where people sit</dt><dd><Inert text={doc.clients.join(", ")} mono /></dd></>}
        </dl>
      )}
    </>
  );
}

function None({ admin }: { admin: boolean }) {
  return (
    <div className="ps-none">
      <Empty title="Nothing is declared">Where nobody said otherwise, a site is taken to reach only itself, and the internet only what is exposed.{!admin && " An administrator can declare what is let through."}</Empty>
      {admin && <Example />}
    </div>
  );
}

/** Example is a file to begin with. */
export function Example() {
  return (
    <figure className="ps-example">
      <figcaption>An example
        <CopyButton value={example} timeout={2000}>{({ copied, copy }) => <Button size="compact-xs" variant="default" onClick={copy} aria-label="Copy the example"><span aria-live="polite">{copied ? "Copied" : "Copy"}</span></Button>}</CopyButton>
      </figcaption>
      <pre className="raw" tabIndex={0} aria-label="An example of a policy">{example}</pre>
    </figure>
  );
}

/** save gives what is in force to the reader as a file. */
function save(doc: Declared) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([yamlOf(doc)], { type: "text/yaml" }));
  link.download = "policy.yaml";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
