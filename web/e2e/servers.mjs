// Servers on loopback that only greet, for live scans: what a scanner sees is what these say.
import { createServer } from "node:net";

const script = '<script>window.__ran=1</script><img src=x onerror="window.__ran=2">\u202egpj.exe\u0007';

/** greeters are true old versions, and one that greets with markup and characters that cannot be seen. */
export const greeters = {
  ftp: { greets: "220 (vsFTPd 2.3.4)\r\n" },
  ssh: { greets: "SSH-2.0-OpenSSH_7.2p2 Ubuntu-4ubuntu2.8\r\n" },
  http: { answers: "HTTP/1.1 200 OK\r\nServer: Apache/2.4.49 (Unix)\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello" },
  hostile: {
    answers: `HTTP/1.1 200 OK\r\nServer: Apache/2.4.49 ${script}\r\nX-Powered-By: ${script}\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>${script}</title>${script}`,
  },
};

/** greet starts some of them and returns their ports, and how to stop all. */
export async function greet(names = Object.keys(greeters)) {
  const ports = {};
  const servers = [];
  for (const name of names) {
    const { greets, answers } = greeters[name];
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.setTimeout(5_000, () => socket.destroy());
      if (greets) socket.write(greets);
      else socket.once("data", () => socket.end(answers));
    });
    await new Promise((resolve, reject) => server.on("error", reject).listen(0, "127.0.0.1", resolve));
    ports[name] = server.address().port;
    servers.push(server);
  }
  return { ports, stop: () => Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve)))) };
}
