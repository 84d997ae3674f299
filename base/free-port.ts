import { createServer } from 'node:net';

/** True when the TCP port is free on every address of this host. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    // Not `::`: where a host has no IPv6, every port would look taken.
    probe.listen({ port, host: '0.0.0.0', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
