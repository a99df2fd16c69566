import { useQuery } from "@tanstack/react-query";

import { send } from "../../api/client";
import { operationsOf } from "./document";

/** useDocument are the operations of this server, with who may do them. */
export function useDocument() {
  return useQuery({ queryKey: ["settings", "document"], staleTime: Infinity, queryFn: async ({ signal }) => operationsOf(await (await send("openapi.json", { signal })).json()) });
}
