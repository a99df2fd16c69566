// Why a file was not imported: which file, where in it, and what to do.
import { Inert } from "../../ui/inert";
import { placeOf } from "./ledger";

export function Refused({ says, file }: { says: string; file: string }) {
  const place = placeOf(says);
  return (
    <div className="bad" role="alert">
      <span>{place.line !== null ? <>Line {place.line.toLocaleString()} of <Inert text={place.file ?? file} />: </> : ""}</span>
      <Inert text={place.says} />
      {place.line === null && /not a report of a tool/.test(says) && <span className="dim">. If you know which tool wrote it, choose it above and try again.</span>}
    </div>
  );
}
