// The demo image's server: says who it is, over HTTP on port 8080.
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:http';
import { hostname, networkInterfaces, platform, release, uptime } from 'node:os';
import { readFileSync } from 'node:fs';

const message = process.env.MESSAGE ?? 'Hello from Coxswain';
const port = Number(process.env.PORT ?? 8080);

const ip = () =>
  Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && address.family === 'IPv4' && !address.internal)?.address ?? '127.0.0.1';

const dns = async () => {
  try {
    const { address } = await lookup('kubernetes.default', { family: 4 });
    return `kubernetes.default is ${address}`;
  } catch (error) {
    const servers = readFileSync('/etc/resolv.conf', 'utf8').match(/^nameserver .*$/gm) ?? [];
    return `${error.code ?? error.message} (${servers.join(', ')})`;
  }
};

const server = createServer(async (request, response) => {
  process.stdout.write(`Received Request From ${request.socket.remoteAddress}\n`);
  const lines = [
    `Message: ${message}`,
    `Hostname: ${hostname()}`,
    `Platform: ${platform()} ${release()}`,
    `Uptime: ${Math.floor(uptime())}`,
    `IP: ${ip()}`,
    `DNS: ${await dns()}`,
  ];
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${lines.join('\n')}\n`);
});
server.listen(port, () => process.stdout.write(`hello listens on port ${port}\n`));
// As process 1 nothing ends it by default: the kernel ignores signals that have no handler there.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
