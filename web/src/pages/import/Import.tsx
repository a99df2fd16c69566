import { Page } from "../../ui/page";

export function Import() {
  return <Page title="Import">{null}</Page>;
}
