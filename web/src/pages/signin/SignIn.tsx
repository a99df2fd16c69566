import { Page } from "../../ui/page";

export function SignIn() {
  return <Page title="Sign in">{null}</Page>;
}
