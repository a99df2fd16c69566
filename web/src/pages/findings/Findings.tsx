import { Page } from "../../ui/page";

export function Findings() {
  return <Page title="Findings">{null}</Page>;
}
