import { Page } from "../../ui/page";

export function Scans() {
  return <Page title="Scans">{null}</Page>;
}
