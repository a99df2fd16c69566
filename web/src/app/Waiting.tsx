import { Loading } from "../ui/states";

/** Waiting stands where a page is being loaded. */
export function Waiting() {
  return (
    <div className="page">
      <Loading rows={9} />
    </div>
  );
}
