// Which versions are affected: from, to, and the first that is fixed.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Schema } from "../../api/client";
import { Inert, Missing } from "../../ui/inert";
import { count } from "../../ui/numbers";
import { Panel } from "../../ui/page";
import { everyVersion, nameOf, productsOf, type Product, type Range } from "./ranges";
import { publisherOf } from "./story";

const few = 12;

/** Affected is the table of products and version ranges; names as the publisher wrote them stand below. */
export function Affected({ cve }: { cve: Schema<"CVE"> }) {
  const [all, setAll] = useState(false);
  const products = productsOf(cve.affected);
  const lines = products.flatMap((p) => p.ranges.map((range, i) => ({ p, range, first: i === 0 })));
  const from = cve.provenance.find((p) => p.field === "configurations");
  if (lines.length === 0 && cve.affected_text.length === 0) return <Panel title="Affected products"><p className="dim">Nobody has said yet which versions are affected: hosts cannot be matched with it by version.</p></Panel>;
  return (
    <Panel title={`Affected products${products.length > 1 ? ` (${products.length})` : ""}`} flush actions={from && <span className="dim cve-small">by {publisherOf(from.source)}</span>}>
      {lines.length > 0 && (
        <table className="table cve-ranges" aria-label="Affected versions">
          <thead><tr><th scope="col">Product</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Fixed in</th></tr></thead>
          <tbody>{(all ? lines : lines.slice(0, few)).map((l, i) => <Line key={i} product={l.p} range={l.range} named={l.first} />)}</tbody>
        </table>
      )}
      {lines.length > few && !all && <div className="panel-body"><Button variant="default" size="compact-sm" onClick={() => setAll(true)}>All {count(lines.length, "range")}</Button></div>}
      {cve.affected_text.length > 0 && <AsWritten cve={cve} />}
    </Panel>
  );
}

function Line({ product, range, named }: { product: Product; range: Range; named: boolean }) {
  return (
    <tr>
      <td title={range.cpe}>
        {named
          ? <><Link to="/catalogue" search={{ vendor: product.vendor, product: product.product } as never}><Inert text={nameOf(product.product)} /></Link> <span className="dim"><Inert text={nameOf(product.vendor)} />{product.kind && product.kind !== "software" && `, ${product.kind}`}</span></>
          : <span className="sr"><Inert text={nameOf(product.product)} /></span>}
        {range.more && <span className="dim"> <Inert text={nameOf(range.more)} /></span>}
      </td>
      {everyVersion(range) ? <td colSpan={3} className="dim">every version that is named so; no range is given</td> : (
        <>
          <td className="mono">{range.from ? <Inert text={range.from} /> : <span className="dim">the first</span>}</td>
          <td className="mono">{range.to ? <Inert text={range.to} /> : range.fixed ? <span className="dim">before the fix</span> : <span className="dim">the newest</span>}</td>
          <td className="mono">{range.fixed ? <strong><Inert text={range.fixed} /></strong> : <Missing why="no fixed version is named" />}</td>
        </>
      )}
    </tr>
  );
}

function AsWritten({ cve }: { cve: Schema<"CVE"> }) {
  return (
    <details className="cve-fold" open={cve.affected.length === 0}>
      <summary>As its publisher names them ({cve.affected_text.length})</summary>
      <ul>
        {cve.affected_text.slice(0, 60).map((a, i) => <li key={i}><Inert text={`${a.vendor} ${a.product}`} />: <span className="dim"><Inert text={a.versions.join("; ") || "versions not given"} /></span></li>)}
        {cve.affected_text.length > 60 && <li className="dim">and {count(cve.affected_text.length - 60, "product")} more</li>}
      </ul>
    </details>
  );
}
