import type { QueryClient } from "@tanstack/react-query";

/** settings asks anew for what the answers of these paths showed. */
export function settings(client: QueryClient, ...paths: string[]) {
  return client.invalidateQueries({ predicate: (q) => paths.some((p) => String(q.queryKey[1]).startsWith(p)) });
}
