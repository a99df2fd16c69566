// What is asked of the server about attack paths.
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { api, queries } from "../../api/client";
import type { Ticks } from "./fixing";
import { queryOf, type Ask } from "./search";

const at = "/api/v1/attack-paths";

/** usePaths asks for the paths of a scenario; while another one is worked out, the one before stays. */
export const usePaths = (ask: Ask) => useQuery({
  queryKey: ["get", at, ask],
  queryFn: async ({ signal }) => (await api.GET(at, { params: { query: { ...queryOf(ask), limit: ask.limit, fixes: true } }, signal })).data!,
  staleTime: 30_000,
  placeholderData: keepPreviousData,
});

/** useFixes asks for the smallest sets and the ranking, which take longer than the paths. */
export const useFixes = (ask: Ask, enabled: boolean) => useQuery({
  queryKey: ["get", `${at}/fixes`, ask],
  queryFn: async ({ signal }) => (await api.GET(`${at}/fixes`, { params: { query: queryOf(ask) }, signal })).data!,
  staleTime: 30_000,
  placeholderData: keepPreviousData,
  enabled,
});

/** useWhatIf asks what would be left if the ticked fixes were made. */
export const useWhatIf = (ask: Ask, ticks: Ticks, enabled: boolean) => useQuery({
  queryKey: ["get", `${at}/what-if`, ask, ticks],
  queryFn: async ({ signal }) => (await api.POST(`${at}/what-if`, { body: { ...queryOf(ask), assume: ask.assume, limit: ask.limit, k: 10, samples: 0, findings: ticks.fix, weaknesses: ticks.patch }, signal })).data!,
  staleTime: 30_000,
  placeholderData: keepPreviousData,
  enabled,
});

/** renew asks again for everything that a correction or a new jewel changes. */
export const renew = () => queries.invalidateQueries({ predicate: (q) => typeof q.queryKey[1] === "string" && /^\/api\/v1\/(attack-paths|today|findings)/.test(q.queryKey[1]) });
