import { Page } from "../../ui/page";

export function Assets() {
  return <Page title="Assets">{null}</Page>;
}
