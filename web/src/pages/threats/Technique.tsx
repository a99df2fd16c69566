import { Page } from "../../ui/page";

export function TechniquePage() {
  return <Page title="Technique">{null}</Page>;
}
