// How deep to look, and who looks.
import type { UseQueryResult } from "@tanstack/react-query";

import type { Schema } from "../../api/client";
import { Inert } from "../../ui/inert";
import { Failure, Loading } from "../../ui/states";
import type { Form } from "./targets";
import { profiles } from "./words";

export function Profiles({ value, onChange }: { value: Form["profile"]; onChange: (p: Form["profile"]) => void }) {
  return (
    <fieldset>
      <legend>How deep to look</legend>
      <div className="choices" data-pairs>
        {profiles.map((p) => (
          <label key={p.name} className="choice">
            <input type="radio" name="profile" value={p.name} checked={value === p.name} onChange={() => onChange(p.name)} />
            <span><strong>{p.title}</strong><span className="says">{p.says}</span></span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

type Scanner = Schema<"ScannerInfo">;

/** Scanners are all that there are; of those that cannot run here it says why, and what to do. */
export function Scanners({ query, value, error, onChange }: { query: UseQueryResult<Schema<"ScannerList">, unknown>; value: string[]; error?: string; onChange: (list: string[]) => void }) {
  const all = query.data?.scanners ?? [];
  const here = all.filter((s) => s.available || value.includes(s.name));
  const absent = all.filter((s) => !here.includes(s));
  return (
    <fieldset aria-describedby={error ? "scanners-wrong" : undefined}>
      <legend>Who looks</legend>
      {query.isPending && <Loading rows={3} label="Loading the scanners" />}
      {query.isError && <Failure error={query.error} what="the scanners" retry={() => void query.refetch()} />}
      {here.length > 0 && <div className="choices">{here.map((s) => <Choice key={s.name} scanner={s} chosen={value.includes(s.name)} onChange={(on) => onChange(on ? [...value, s.name] : value.filter((n) => n !== s.name))} />)}</div>}
      {absent.length > 0 && (
        <details className="absent">
          <summary>{absent.map((s) => s.name).join(", ")} cannot run here: see why</summary>
          <ul>{absent.map((s) => <li key={s.name}><strong>{s.name}</strong>: <Inert text={s.reason ?? s.what} /></li>)}</ul>
        </details>
      )}
      {error && <p id="scanners-wrong" className="bad"><Inert text={error} /></p>}
    </fieldset>
  );
}

function Choice({ scanner, chosen, onChange }: { scanner: Scanner; chosen: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="choice">
      <input type="checkbox" checked={chosen} onChange={(e) => onChange(e.currentTarget.checked)} />
      <span>
        <strong>{scanner.name}</strong> <span className="dim">{!scanner.available ? "cannot run here" : scanner.version ? <Inert text={`version ${scanner.version}`} /> : "version not known"}</span>
        <span className="says"><Inert text={scanner.available ? scanner.what : (scanner.reason ?? scanner.what)} /></span>
      </span>
    </label>
  );
}
