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
      <div className="choices">
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

/** Scanners are all that there are; of those that cannot run here it says why, and what to do. */
export function Scanners({ query, value, error, onChange }: { query: UseQueryResult<Schema<"ScannerList">, unknown>; value: string[]; error?: string; onChange: (list: string[]) => void }) {
  return (
    <fieldset aria-describedby={error ? "scanners-wrong" : undefined}>
      <legend>Who looks</legend>
      {query.isPending && <Loading rows={3} label="Loading the scanners" />}
      {query.isError && <Failure error={query.error} what="the scanners" retry={() => void query.refetch()} />}
      {query.data && (
        <div className="choices">
          {[...query.data.scanners].sort((a, b) => Number(b.available) - Number(a.available)).map((s) => (
            <label key={s.name} className="choice" data-off={s.available ? undefined : true}>
              <input type="checkbox" checked={value.includes(s.name)} disabled={!s.available && !value.includes(s.name)}
                onChange={(e) => onChange(e.currentTarget.checked ? [...value, s.name] : value.filter((n) => n !== s.name))} />
              <span>
                <strong>{s.name}</strong>{" "}
                {s.available ? <span className="dim">{s.version ? <Inert text={`version ${s.version}`} /> : "version not known"}</span> : <span className="dim">cannot run here</span>}
                <span className="says"><Inert text={s.available ? s.what : (s.reason ?? s.what)} /></span>
              </span>
            </label>
          ))}
        </div>
      )}
      {error && <p id="scanners-wrong" className="bad"><Inert text={error} /></p>}
    </fieldset>
  );
}
