// The data that the browser tests begin with, made once by the command itself: `people` has three users, `estate` also the
// demo, every benign report of fixtures and every hostile one, `demo` the demo and no more.
import { copyFileSync, cpSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { binary, command, fixture, people, scratch, serve } from "./harness.mjs";

/** json asks the server as a program does. */
async function json(url, { method = "POST", cookie, csrf, body } = {}) {
  const headers = { "Content-Type": "application/json", ...(cookie && { Cookie: cookie }), ...(csrf && { "X-CSRF-Token": csrf }) };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return { cookie: answer.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ") || cookie, data: answer.status === 204 ? null : await answer.json().catch(() => null) };
}

/** prepare makes the folders and returns where they are. */
export async function prepare() {
  const home = join(scratch, "prepared");
  const folder = (name) => join(home, name);
  const server = await serve({ data: folder("people") });
  if (!(await (await fetch(server.url + "/")).text()).includes('id="root"')) throw new Error(`${binary} was built without the web UI: make ui build`);
  const api = server.url + "/api/v1";
  const first = await json(api + "/auth/login", { body: { name: "admin", password: server.password } });
  await json(api + "/auth/password", { cookie: first.cookie, csrf: first.data.csrf_token, body: { current: server.password, password: people.admin.password } });
  const admin = await json(api + "/auth/login", { body: people.admin });
  for (const [role, who] of [["analyst", people.analyst], ["viewer", people.viewer]])
    await json(api + "/users", { cookie: admin.cookie, csrf: admin.data.csrf_token, body: { ...who, keep_password: true, role, all_sites: true } });
  await server.stop();
  cpSync(folder("people"), folder("demo"), { recursive: true });
  command(folder("demo"), "demo", "--keep", "--simulate", "openvas,nessus", "--limit", "1");
  command(folder("demo"), "seed");
  cpSync(folder("demo"), folder("estate"), { recursive: true });
  const reports = readdirSync(fixture("")).sort();
  command(folder("estate"), "import", ...reports.filter((name) => !name.startsWith("hostile")).map(fixture), ...reports.filter((name) => name.startsWith("hostile")).map(named));
  return home;
}

/** named is a hostile report under a hostile name, which no version control should have to keep. */
export function named(name) {
  const path = join(scratch, `<img src=x onerror="window.__ran=9">\u202egpj.${name}`);
  copyFileSync(fixture(name), path);
  return path;
}

