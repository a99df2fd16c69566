import { Page } from "../../ui/page";

export function CVEPage() {
  return <Page title="CVE">{null}</Page>;
}
