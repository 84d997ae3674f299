// A kubelet server over a simulated runtime, for the tests of this folder.
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { WebSocket } from 'ws';
import type { V1Pod } from '#api/generated/types.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { DebugPages } from '#base/profiling/debug-pages.ts';
import { createMetrics } from '#base/metrics.ts';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import { probeMetrics } from '../kubelet-metrics.ts';
import type { Program } from '../runtime/simulated/program.ts';
import type { PodUse } from '../eviction/usage.ts';
import type { HostFigures, ProcessFigures } from '../stats/kernel.ts';
import { Stats } from '../stats/stats.ts';
import { plenty } from '../testing.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import type { Access } from '#client/delegated-access.ts';
import { apiServerUser } from './admit.ts';
import { KubeletServer } from './kubelet-server.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

const pod = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec: {
    containers: [
      { name: 'main', image: 'hello:1' },
      { name: 'late', image: 'hello:1' },
    ],
  },
  status: { containerStatuses: [{ name: 'late', state: { waiting: { reason: 'ContainerCreating' } } }] },
} as V1Pod;

const disk: PodUse = {
  containers: [{ name: 'main', rootfs: { usedBytes: 4_096, inodes: 3 }, logs: { usedBytes: 100, inodes: 1 } }],
  volumes: [{ name: 'cache', usedBytes: 10, inodes: 2 }],
};
const machine: HostFigures = {
  cpuNanos: 5_000_000_000n,
  startedMs: 1_000,
  swap: { totalBytes: 10, freeBytes: 4 },
  interfaces: [{ name: 'eth0', rxBytes: 1, rxErrors: 2, txBytes: 3, txErrors: 4 }],
};
const used: ProcessFigures = { startedMs: 2_000, cpuNanos: 3_000n, rssBytes: 4_096, pageFaults: 5, majorPageFaults: 1 };

/** The API server may do everything; a scraper with the token `figures` may read metrics; the review of the token `lost` fails. */
const access: Access = {
  visitorOf: (token) =>
    token === 'lost'
      ? Promise.reject(new Error('no connection'))
      : Promise.resolve(token === 'figures' ? { name: 'scraper', groups: ['system:authenticated'] } : undefined),
  isAllowed: ({ name }, access) =>
    name === 'system:node:unlucky'
      ? Promise.reject(new Error('no connection'))
      : Promise.resolve(
          access.kind === 'resource' &&
            access.resource === 'nodes' &&
            access.name === 'n1' &&
            (name === apiServerUser || (name === 'scraper' && access.subresource === 'metrics')),
        ),
};

/** Prints three lines, answers `hello` on port 80, runs until SIGTERM. */
const hello: Program = async ({ print, listen, terminated }) => {
  listen(80, (connection) => connection.once('data', (data) => connection.end(`hello ${String(data)}`)));
  for (const line of [1, 2, 3]) await print(`line ${line}\n`);
  await terminated;
  return 0;
};

const programs: Readonly<Record<string, Program>> = {
  greet: async ({ print, command }) => {
    await print(`hello ${command.slice(1).join(',')}\n`);
    return 0;
  },
  shout: async ({ print, stdin }) => {
    for await (const bytes of stdin) await print(Buffer.from(bytes).toString().toUpperCase());
    await print('done\n', 'stderr');
    return 7;
  },
};

export class ServerRig {
  readonly runtime = new SimulatedRuntime(systemClock, { default: hello, programs, images: ['hello:1'] });
  readonly #stop = new AbortController();
  #ca: KeyPair | undefined;
  #apiServer: KeyPair | undefined;
  #server: KubeletServer | undefined;
  #running: Promise<void> = Promise.resolve();
  #containerId = '';
  #isPlain = false;

  /** `readOnly`: on the port without authentication. */
  static async start({ readOnly = false, hasStreams = true } = {}): Promise<ServerRig> {
    const rig = new ServerRig();
    rig.#isPlain = readOnly;
    const nowMs = systemClock.nowMs();
    rig.#ca = await createCa('ca', nowMs);
    rig.#apiServer = await rig.client(apiServerUser);
    const serving = { commonName: 'node', dnsNames: ['localhost'], ips: ['127.0.0.1'], usages: ['server'] } as const;
    const pods = {
      pods: () => [pod],
      pod: (namespace: string, name: string) => (namespace === 'shop' && name === 'web' ? pod : undefined),
      status: () => undefined,
    };
    const tls = await signCertificate(rig.#ca, serving, nowMs);
    rig.#server = new KubeletServer(
      {
        runtime: rig.runtime,
        pods,
        access,
        clock: systemClock,
        log: silentLog,
        metrics: createMetrics(),
        stats: new Stats({
          runtime: rig.runtime,
          uses: { diskUsage: () => Promise.resolve(new Map([['u1', disk]])) },
          mounted: () => Promise.resolve([{ name: 'token', totalBytes: 100, availableBytes: 88, totalInodes: 9, freeInodes: 4 }]),
          measure: () => Promise.resolve(plenty),
          host: () => Promise.resolve(machine),
          processes: () => Promise.resolve({ kubelet: used, runtime: undefined }),
          interfaces: () => Promise.resolve([]),
          pods: pods.pods,
          observed: () => undefined,
          imageBytes: () => 7,
          clock: systemClock,
          nodeName: 'n1',
        }),
        machine: { cores: 4, memoryBytes: 8 },
        namesOf: () => ({ id: 'c0ffee', image: 'hello:1' }),
        probes: () =>
          probeMetrics({ samples: () => [[['main', 'shop', 'web', 'u1', 'Liveness', 'successful'], 1]], durations: () => [] }).text(),
        configuration: { kind: 'KubeletConfiguration' },
        flags: { v: '2' },
        debug: new DebugPages({ clock: systemClock, logLevel: { level: 'info' }, hasProfiles: true, argv: ['kubelet'] }),
        logFolder: '/proc/self',
        hasStreams,
      },
      { host: '127.0.0.1', port: 0, secure: readOnly ? undefined : { tls, clientCa: rig.#ca.cert }, nodeName: 'n1' },
    );
    const ready = Promise.withResolvers<void>();
    rig.#running = rig.#server.run(rig.#stop.signal, ready.resolve);
    await ready.promise;
    const identity = { name: 'web', namespace: 'shop', uid: 'u1' };
    const sandbox = await rig.runtime.createSandbox({ pod: identity, attempt: 0, hostname: 'web' });
    rig.#containerId = await rig.runtime.createContainer(sandbox.id, { name: 'main', attempt: 0, image: 'hello:1' });
    await rig.runtime.startContainer(rig.#containerId);
    return rig;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** A client certificate of the server's CA. */
  client(commonName: string): Promise<KeyPair> {
    if (this.#ca === undefined) throw new Error('not started');
    return signCertificate(this.#ca, { commonName, usages: ['client'] }, systemClock.nowMs());
  }

  /** `client` undefined: the API server; 'nobody': without certificate and token. */
  ask(
    path: string,
    client: KeyPair | 'nobody' | { readonly token: string } | undefined = this.#apiServer,
    method = 'GET',
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const identity =
        client === 'nobody' || client === undefined
          ? {}
          : 'token' in client
            ? { headers: { authorization: `Bearer ${client.token}` } }
            : { cert: client.cert, key: client.key };
      const options = { host: '127.0.0.1', port: this.port, path, method, ca: this.#ca?.cert, agent: false, ...identity };
      const asking = (this.#isPlain ? plainRequest : request)(options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asking.on('error', reject);
      asking.end();
    });
  }

  /** A WebSocket as the API server opens it; or the refusal. */
  open(path: string, protocol: string, client: KeyPair | undefined = this.#apiServer): Promise<WebSocket | Answer> {
    const identity = { cert: client?.cert, key: client?.key, ca: this.#ca?.cert };
    const socket = new WebSocket(`wss://127.0.0.1:${this.port}${path}`, protocol, identity);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
      socket.once('unexpected-response', (_, response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
    });
  }

  async endContainer(): Promise<void> {
    await this.runtime.stopContainer(this.#containerId, 1_000, this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
