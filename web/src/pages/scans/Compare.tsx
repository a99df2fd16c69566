import { Page } from "../../ui/page";

export function Compare() {
  return <Page title="Compare">{null}</Page>;
}
