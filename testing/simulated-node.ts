// A kubelet in this process whose containers are functions: no engine, no host, no root.
import { createServer, type AddressInfo } from 'node:net';
import type { TestApiServer } from '#apiserver/testing.ts';
import type { Clock } from '#base/clock.ts';
import { signCertificate } from '#base/pki.ts';
import { SimulatedRuntime, type SimulatedRuntimeOptions } from '#kubelet/runtime/simulated/simulated-runtime.ts';
import { startTestKubelet, type TestKubelet } from '#kubelet/testing.ts';

export interface SimulatedNodeOptions {
  readonly api: TestApiServer;
  readonly clock: Clock;
  /** From 1 on; the node is `node-<index>`, and its pods' network `10.244.<index>.0/24`. */
  readonly index: number;
  readonly containers: Pick<SimulatedRuntimeOptions, 'programs' | 'default'>;
}

/** Starts one; resolves at once, before it is Ready. */
export async function startSimulatedNode({ api, clock, index, containers }: SimulatedNodeOptions): Promise<TestKubelet> {
  const nodeName = `node-${index}`;
  const request = { commonName: nodeName, ips: ['127.0.0.1'], usages: ['server'] as const };
  const port = await freePort();
  return await startTestKubelet(
    { api },
    {
      runtime: new SimulatedRuntime(clock, { anyImage: true, ...containers }),
      clock,
      tls: { ...(await signCertificate(api.ca, request, clock.nowMs())), clientCa: api.ca.cert },
      config: {
        nodeName,
        nodeIps: ['127.0.0.1'],
        podCidr: `10.244.${index}.0/24`,
        server: {
          host: '127.0.0.1',
          port,
          certFile: '',
          keyFile: '',
          clientCaFile: '',
          accessTtls: { tokenMs: 120_000, allowedMs: 300_000, deniedMs: 30_000 },
          tls: { minTls: 'TLSv1.2', ciphers: undefined },
          readOnlyPort: 0,
        },
      },
    },
  );
}

/** An unused port; kubelets report theirs before they listen. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}
