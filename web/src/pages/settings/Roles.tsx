// What each role may do, as this server itself says.
import { useMe } from "../../api/session";
import { Panel } from "../../ui/page";
import { Failure, Loading } from "../../ui/states";
import { areasOf, type Area } from "./document";
import { useDocument } from "./useDocument";

export function Roles() {
  const me = useMe();
  const doc = useDocument();
  return (
    <>
      <Panel title="In short">
        <dl className="facts">
          <dt>Viewer</dt><dd>Reads what belongs to the sites that the user sees.</dd>
          <dt>Analyst</dt><dd>Also scans, imports, triages, makes rules.</dd>
          <dt>Admin</dt><dd>Also users, scope, feeds, sites, the audit trail. Sees all sites.</dd>
          <dt>Worker</dt><dd>Leases the tasks of one site and nothing else. A token has it, no person.</dd>
        </dl>
        <p className="dim" style={{ marginTop: 10 }}>You are {me.role}{me.all_sites ? " and see all sites" : ""}. What belongs to another site does not exist for you.</p>
      </Panel>
      <Panel title="In full" flush>
        {doc.isError ? <Failure error={doc.error} what="what roles may do" retry={() => void doc.refetch()} /> : !doc.data ? <Loading rows={12} label="Loading what roles may do" /> : <Table areas={areasOf(doc.data)} />}
      </Panel>
    </>
  );
}

function Table({ areas }: { areas: Area[] }) {
  return (
    <table className="table settings-roles">
      <thead>
        <tr>
          <th scope="col">Area</th>
          <th scope="col">Viewer</th>
          <th scope="col">Analyst also</th>
          <th scope="col">Admin also</th>
        </tr>
      </thead>
      <tbody>
        {areas.map((a) => (
          <tr key={a.tag}>
            <th scope="row">{a.tag}</th>
            <Cell label="Viewer" may={a.viewer} />
            <Cell label="Analyst also" may={a.analyst} />
            <Cell label="Admin also" may={a.admin} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell({ label, may }: { label: string; may: string[] }) {
  return (
    <td data-label={label} data-empty={may.length === 0 || undefined}>
      {may.length === 0 ? <span className="dim">{label === "Viewer" ? "nothing" : "no more"}</span> : <ul className="settings-plain">{may.map((m) => <li key={m}>{m}</li>)}</ul>}
    </td>
  );
}
