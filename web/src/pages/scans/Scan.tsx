import { Page } from "../../ui/page";

export function ScanPage() {
  return <Page title="Scan">{null}</Page>;
}
