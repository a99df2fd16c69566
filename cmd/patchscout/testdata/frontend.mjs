// The original design's front end without its pages: its client's calls, as axios sends them from http://localhost:3000.
//   node --experimental-websocket frontend.mjs http://localhost:8000 TARGET PORTS
const [server, target, ports] = process.argv.slice(2);
const origin = 'http://localhost:3000';
const api = server + '/api/v1';

function fail(text) {
  console.error(text);
  process.exit(1);
}

// A browser asks before it sends JSON to another origin, and shows an answer only to an origin that the answer names.
async function call(method, path, body) {
  const headers = { Accept: 'application/json, text/plain, */*', Origin: origin };
  if (body !== undefined) {
    const asked = await fetch(api + path, { method: 'OPTIONS', headers: {
      Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'content-type' } });
    if (!asked.ok || asked.headers.get('access-control-allow-origin') !== origin) fail(`OPTIONS ${path}: ${asked.status}`);
    headers['Content-Type'] = 'application/json';
  }
  const answer = await fetch(api + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.headers.get('access-control-allow-origin') !== origin) fail(`${method} ${path}: a browser would hide the answer`);
  const text = await answer.text();
  if (!answer.ok) fail(`${method} ${path}: ${answer.status} ${text}`);
  return { status: answer.status, data: text ? JSON.parse(text) : null };
}

const initiateScan = (targetUrl, scanType, config) => call('POST', '/scans/initiate', { target_url: targetUrl, scan_type: scanType, config });
const getScan = (id) => call('GET', `/scans/${id}`);
const getScans = () => call('GET', '/scans');
const cancelScan = (id) => call('POST', `/scans/${id}/cancel`);
const getScanVulnerabilities = (id, skip = 0, limit = 100) => call('GET', `/scans/${id}/vulnerabilities?skip=${skip}&limit=${limit}`);
const getVulnerabilityDetails = (id) => call('GET', `/vulnerabilities/${id}/details`);
const getExploits = (id) => call('GET', `/vulnerabilities/${id}/exploits`);

function watch(id, onMessage) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(server.replace(/^http/, 'ws') + `/ws/${id}`, { headers: { Origin: origin } });
    ws.onmessage = (e) => onMessage(JSON.parse(e.data));
    ws.onerror = (e) => reject(new Error(`WebSocket: ${e.message}`));
    ws.onclose = (e) => resolve(e.code);
  });
}

const started = await initiateScan(target, 'quick', { scanners: ['native'], ports });
const id = started.data.scan_id;
if (started.status !== 202 || id !== started.data.id || started.data.target !== target || started.data.progress !== 0
  || !['pending', 'running'].includes(started.data.status)) fail(`initiateScan: ${JSON.stringify(started)}`);

const messages = [];
const code = await watch(id, (m) => messages.push(m));
const kinds = messages.map((m) => m.type);
if (code !== 1000 || kinds[0] !== 'state' || kinds.at(-1) !== 'end') fail(`watched ${kinds}, closed with ${code}`);
for (const kind of ['progress', 'host', 'service', 'finding']) if (!kinds.includes(kind)) fail(`no ${kind} among ${kinds}`);
messages.forEach((m, i) => { if (m.scan_id !== id || m.seq !== i) fail(`message ${i}: ${JSON.stringify(m)}`); });

const scan = (await getScan(id)).data;
if (scan.id !== id || scan.status !== 'completed' || scan.progress !== 100) fail(`getScan: ${JSON.stringify(scan)}`);
if (!(await getScans()).data) fail('getScans: nothing');

const page = (await getScanVulnerabilities(id)).data;
if (page.skip !== 0 || page.limit !== 100 || page.total !== page.items.length || page.total < 1) fail(`getScanVulnerabilities: ${JSON.stringify(page).slice(0, 500)}`);
const details = (await getVulnerabilityDetails(page.items[0].id)).data;
if (!JSON.stringify(details).includes(page.items[0].cve)) fail(`getVulnerabilityDetails: ${JSON.stringify(details).slice(0, 500)}`);
if (!(await getExploits(page.items[0].id)).data) fail('getExploits: nothing');

const second = (await initiateScan(target, 'full', {})).data.scan_id;
await cancelScan(second);
for (let i = 0; ; i++) {
  const { status, reason } = (await getScan(second)).data;
  if (status === 'failed' && reason === 'cancelled') break;
  if (i > 200) fail(`cancelScan: still ${status} (${reason})`);
  await new Promise((r) => setTimeout(r, 50));
}
console.log(`${messages.length} messages, ${page.total} vulnerabilities`);
