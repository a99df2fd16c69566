import { Page } from "../../ui/page";

export function Catalogue() {
  return <Page title="Catalogue">{null}</Page>;
}
