import { Page } from "../../ui/page";

export function HostPage() {
  return <Page title="Host">{null}</Page>;
}
