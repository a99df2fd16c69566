import { Page } from "../../ui/page";

export function Today() {
  return <Page title="Today">{null}</Page>;
}
