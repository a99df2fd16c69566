import { Page } from "../../ui/page";

export function LedgerPage() {
  return <Page title="Import">{null}</Page>;
}
