// Where to go after signing in: a page of this server, whatever the address of the sign-in page asks for.

const here = "http://this.server.invalid";

/** insidePath is the path of a page of this server, or "/" when what stands in the address is anything else. */
export function insidePath(to: unknown): string {
  if (typeof to !== "string" || to.length > 2000 || !to.startsWith("/") || /[\\\u0000-\u001f\u007f]/.test(to)) return "/";
  let there: URL;
  try {
    there = new URL(to, here);
  } catch {
    return "/";
  }
  const path = there.pathname + there.search + there.hash;
  // After dots are resolved ("/.//host") the path may begin with the two slashes that lead elsewhere.
  if (there.origin !== here || path.startsWith("//") || path.startsWith("/api/")) return "/";
  if (there.pathname === "/signin") return onward(there);
  return path;
}

// A session that ended twice in one moment asks for the sign-in page itself: what that one asked for is meant.
function onward(there: URL): string {
  const next = there.searchParams.get("to");
  return next && !next.startsWith("/signin") ? insidePath(next) : "/";
}

// Why somebody comes back from the OpenID provider without being signed in. The address only names one of these: words in it
// could be anybody's.
const refusals: Record<string, string> = {
  provider: "the provider did not confirm who you are, or it took too long. Try again.",
  role: "you are known, but nobody has given you a role here. Ask an administrator.",
  away: "the provider cannot be reached from the server. Try again later.",
  other: "the server's log says why.",
};

export type Asked = { to: string; change: boolean; ended: boolean; refused: string | null };

/** asked repairs what stands behind the ? of the sign-in page. */
export function asked(search: Record<string, unknown>): Asked {
  const on = (value: unknown) => value === true || value === "true" || value === 1;
  const refused = typeof search.refused === "string" ? (refusals[search.refused] ?? refusals.other!) : null;
  return { to: insidePath(search.to), change: on(search.change), ended: on(search.ended), refused };
}
