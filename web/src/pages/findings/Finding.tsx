import { Page } from "../../ui/page";

export function FindingPage() {
  return <Page title="Finding">{null}</Page>;
}
