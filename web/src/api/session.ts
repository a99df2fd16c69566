// Who uses the page, and what they may do.
import { useQueryClient } from "@tanstack/react-query";

import { $api, api, queries, setCSRF, type Schema } from "./client";

export type Role = "viewer" | "analyst" | "admin";

const ranks: Record<string, number> = { viewer: 1, analyst: 2, admin: 3 };

export const meQuery = {
  queryKey: ["get", "/api/v1/auth/me", {}] as const,
  queryFn: async (): Promise<Schema<"Me">> => {
    const { data } = await api.GET("/api/v1/auth/me");
    setCSRF(data!.csrf_token ?? null);
    return data!;
  },
  staleTime: 60_000,
};

/** useMe is who is signed in. The shell has asked before any page is drawn: it is always known there. */
export function useMe(): Schema<"Me"> {
  const client = useQueryClient();
  return client.getQueryData<Schema<"Me">>(meQuery.queryKey) ?? nobody;
}

const nobody: Schema<"Me"> = {
  name: "", kind: "", role: "", all_sites: false, sites: [], scopes: [], must_change: false, auth_off: false,
  user_id: null, csrf_token: null, expires_at: null, site: null,
};

/** useMay says whether who is signed in has a role, or one above it. */
export function useMay(role: Role): boolean {
  const me = useMe();
  return (ranks[me.role] ?? 0) >= (ranks[role] ?? 9);
}

/** began keeps who has just signed in; everything that was shown to somebody else goes. */
export function began(me: Schema<"Me">) {
  queries.clear();
  setCSRF(me.csrf_token ?? null);
  queries.setQueryData(meQuery.queryKey, me);
}

/** signOut ends the session and forgets what it showed. */
export async function signOut() {
  await api.POST("/api/v1/auth/logout");
  setCSRF(null);
  queries.clear();
}

/** useSystem is what the server says of itself: version, features, warnings, largest upload. */
export function useSystem() {
  return $api.useQuery("get", "/api/v1/system", {}, { staleTime: 60_000 });
}
