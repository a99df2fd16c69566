// Potential findings, folded: one line per service with the reasons why they are not confirmed.
import type { Schema } from "../../api/client";

export type Fold = { place: string; product: string | null; n: number; kev: number; reasons: { why: string; n: number }[]; search: Record<string, unknown> };

const statuses: Record<string, string> = {
  conditional: "applies only together with something that is not known of this host",
  uncertain: "the record does not say which versions",
  unaffected: "the version is not affected",
};

/** reasonOf says in few words why a finding is only potential. */
export function reasonOf(f: Pick<Schema<"Finding">, "status" | "confidence" | "evidence">): string {
  const why = f.evidence.map((e) => e.reason ?? "").join(" ").toLowerCase();
  if (/backport/.test(why)) return "the distribution backports fixes";
  if (statuses[f.status]) return statuses[f.status]!;
  return `confidence ${f.confidence} % is below 70 %`;
}

/** foldPossible has what is known to be exploited first, then the largest. */
export function foldPossible(findings: Schema<"Finding">[]): Fold[] {
  const found = new Map<string, Fold>();
  for (const f of findings) {
    const place = f.port ? `${f.port}/${f.protocol}` : f.component ?? "the host itself";
    const fold = found.get(place) ?? { place, product: f.port ? f.service : null, n: 0, kev: 0, reasons: [], search: f.port ? { port: [f.port] } : f.component ? { component: f.component } : { protocol: ["host"] } };
    fold.n++;
    if (f.kev) fold.kev++;
    const why = reasonOf(f);
    const reason = fold.reasons.find((r) => r.why === why);
    if (reason) reason.n++;
    else fold.reasons.push({ why, n: 1 });
    found.set(place, fold);
  }
  for (const fold of found.values()) fold.reasons.sort((a, b) => b.n - a.n);
  return [...found.values()].sort((a, b) => b.kev - a.kev || b.n - a.n || (a.place < b.place ? -1 : 1));
}
