// Who uses the page, and what they may do.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { $api, api, Problem, queries, setCSRF, type Schema } from "./client";
import { onTabs, tellTabs } from "./tabs";

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
  gcTime: Infinity, // pages read it without watching it: it must not be forgotten while somebody reads one page
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
  tellTabs(me);
}

/** signOut ends the session and forgets what it showed. */
export async function signOut() {
  try {
    await api.POST("/api/v1/auth/logout");
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error; // it had ended already
  }
  setCSRF(null);
  queries.clear();
  tellTabs(null);
}

/** useStillMe asks who is signed in when another tab changed it or this one is looked at again: it is drawn anew for somebody else, and an ended session leads to the sign-in page. */
export function useStillMe() {
  useEffect(() => onTabs(() => {
    const before = queries.getQueryData<Schema<"Me">>(meQuery.queryKey);
    queries.fetchQuery({ ...meQuery, staleTime: 0 }).then(
      (now) => before && (before.user_id !== now.user_id || before.role !== now.role || before.must_change !== now.must_change) && location.reload(),
      () => {}, // 401 is heard by onSignedOut; what does not answer is said by the shell
    );
  }), []);
}

/** useSystem is what the server says of itself: version, features, warnings, largest upload. */
export function useSystem() {
  return $api.useQuery("get", "/api/v1/system", {}, { staleTime: 60_000, refetchInterval: (q) => (q.state.status === "error" ? 4_000 : 30_000) });
}
