// The one door to the server. Paths, requests and answers have the types of its OpenAPI document (npm run types).
import { QueryCache, QueryClient, MutationCache } from "@tanstack/react-query";
import createFetch, { type Middleware } from "openapi-fetch";
import createHooks from "openapi-react-query";

import type { components, paths } from "./schema";

/** Schema is a type of the OpenAPI document by its name: Schema<"Finding">. */
export type Schema<K extends keyof components["schemas"]> = components["schemas"][K];

/** base is where the server shows itself, with the path that a reverse proxy put before it; it ends in a slash. */
export const base = new URL(".", document.baseURI);

/** Problem is an answer that is not a success (RFC 9457), or none at all: status 0. */
export class Problem extends Error {
  status: number;
  /** field says which fields of the request are wrong, by their places ("body.target_url"), and how. */
  fields: { place: string; message: string }[];
  retryAfter: number | null;
  requestID: string | null;

  constructor(status: number, message: string, fields: Problem["fields"] = [], retryAfter: number | null = null, requestID: string | null = null) {
    super(message);
    this.status = status;
    this.fields = fields;
    this.retryAfter = retryAfter;
    this.requestID = requestID;
  }

  /** offline: nobody answered, or somebody between us and the server did. */
  get offline() {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}

let csrf: string | null = null;

/** setCSRF keeps what every change with a session's cookie has to carry. */
export function setCSRF(token: string | null) {
  csrf = token;
}

async function problemOf(response: Response): Promise<Problem> {
  let said: Partial<Schema<"ErrorModel">> = {};
  try {
    said = (await response.clone().json()) as Partial<Schema<"ErrorModel">>;
  } catch {
    // a proxy's page: the status is all there is
  }
  const fields = (said.errors ?? []).map((e) => ({ place: e.location ?? "", message: e.message ?? "" }));
  const wait = Number(response.headers.get("Retry-After"));
  return new Problem(
    response.status,
    said.detail ?? said.title ?? `the server answered ${response.status}`,
    fields,
    Number.isFinite(wait) && wait > 0 ? wait : null,
    response.headers.get("X-Request-Id"),
  );
}

const manners: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && request.method !== "HEAD" && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
  onError({ error }) {
    if (error instanceof Problem || (error instanceof DOMException && error.name === "AbortError")) return undefined;
    return new Problem(0, "the server does not answer");
  },
};

// Lists in a query are joined by commas, as the server reads them; what is empty is left out.
export const api = createFetch<paths>({
  baseUrl: base.href.replace(/\/$/, ""),
  querySerializer: {
    array: { style: "form", explode: false },
  },
});
api.use(manners);

/** upload sends raw bytes or a form, for which openapi-fetch has no types; path is below the base: "api/v1/imports". */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (csrf) headers.set("X-CSRF-Token", csrf);
  let response: Response;
  try {
    response = await fetch(new URL(path, base), { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "the server does not answer");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

type Listener = (problem: Problem) => void;
const signedOut = new Set<Listener>();

/** onSignedOut calls fn whenever an answer says that nobody is signed in; it returns how to stop. */
export function onSignedOut(fn: Listener): () => void {
  signedOut.add(fn);
  return () => signedOut.delete(fn);
}

function watch(error: unknown) {
  if (error instanceof Problem && error.status === 401) signedOut.forEach((fn) => fn(error));
}

/** queries keeps answers for a while: coming back to a page shows what was there and asks again behind it. */
export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      watch(error);
      // Whoever hears first that the server is away has it asked at once what everybody goes by.
      if (error instanceof Problem && error.offline && query.queryKey[1] !== "/api/v1/system") void queries.invalidateQueries({ queryKey: ["get", "/api/v1/system"] });
    },
  }),
  mutationCache: new MutationCache({ onError: watch }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: true,
      networkMode: "always", // the server is often on this very machine, whatever the browser thinks of the network
      retry: (count, error) => count < 2 && (!(error instanceof Problem) || error.offline || error.status === 503),
      retryDelay: (count, error) => (error instanceof Problem && error.retryAfter ? error.retryAfter * 1000 : 400 * 2 ** count),
    },
    mutations: { networkMode: "always", retry: false },
  },
});

/** $api are the typed hooks: $api.useQuery("get", "/api/v1/findings", {params: {query}}). */
export const $api = createHooks(api);
