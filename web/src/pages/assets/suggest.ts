// Which hosts may be one machine: those of one site that share a name, or an address that one of them had before.
import type { Schema } from "../../api/client";

type Host = Pick<Schema<"Host">, "id" | "site" | "address" | "addresses" | "hostnames" | "os"> & Partial<Schema<"Host">>;

// Names that many machines have are no sign of anything.
const common = /^(localhost(\.localdomain)?|localhost\.local|router|gateway|_gateway|unknown|null|none)$/i;

/** suggestionsFor lists hosts that share facts with one, those that share most first, each with what they share. */
export function suggestionsFor<H extends Host>(host: Host, others: H[]): { host: H; why: string[] }[] {
  const seen = new Set<number>([host.id]);
  const out: { host: H; why: string[] }[] = [];
  for (const other of others) {
    if (seen.has(other.id) || other.site !== host.site) continue;
    seen.add(other.id);
    const why = [
      ...other.addresses.filter((a) => host.addresses.includes(a)).map((a) => `same address ${a}`),
      ...other.hostnames.filter((n) => !common.test(n) && host.hostnames.some((m) => m.toLowerCase() === n.toLowerCase())).map((n) => `same name ${n}`),
    ];
    if (why.length > 0) out.push({ host: other, why });
  }
  return out.sort((a, b) => b.why.length - a.why.length || a.host.id - b.host.id);
}
