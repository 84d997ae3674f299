// The processes that are measured: our API server from its bundle, with certificates and a data folder of its own, and the raw one.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCa, createServiceAccountKeys, type KeyPair, signCertificate } from '#base/pki.ts';
import { kubeconfigText } from '#client/kubeconfig-file.ts';
import { pod } from '#api/core/pod/pod.ts';
import { namespace } from '#api/core/namespace.ts';
import { serviceAccount } from '#api/core/service-account.ts';
import { systemClock } from '#base/clock.ts';
import { allocatorEnv, heapOptions } from '#cli/cluster/components.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { Connection, type Peer, requestBytes } from './load/connection.ts';

const readyTries = 6_000;

/** A folder with what servers and clients need to trust one another. */
export class Workshop implements Disposable {
  readonly folder: string;
  readonly ca: KeyPair;
  readonly admin: KeyPair;

  private constructor(folder: string, ca: KeyPair, admin: KeyPair) {
    this.folder = folder;
    this.ca = ca;
    this.admin = admin;
  }

  static async create(): Promise<Workshop> {
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-bench-'));
    const nowMs = Date.now();
    const ca = await createCa('bench', nowMs);
    const server = await signCertificate(
      ca,
      { commonName: 'kube-apiserver', dnsNames: ['localhost'], ips: ['127.0.0.1'], usages: ['server'] },
      nowMs,
    );
    const admin = await signCertificate(ca, { commonName: 'bench', organizations: ['system:masters'], usages: ['client'] }, nowMs);
    const files = {
      'ca.crt': ca.cert,
      'server.crt': server.cert,
      'server.key': server.key,
      'sa.key': createServiceAccountKeys().privateKey,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return new Workshop(folder, ca, admin);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  peer(port: number): Peer {
    return { port, ca: this.ca.cert, ...this.admin };
  }

  /** Writes a kubeconfig for a user and answers its path. */
  async kubeconfig(port: number, user: string, organizations: readonly string[] = []): Promise<string> {
    const pair = await signCertificate(this.ca, { commonName: user, organizations, usages: ['client'] }, Date.now());
    const path = this.path(`${user}.conf`);
    writeFileSync(
      path,
      kubeconfigText({
        name: 'bench',
        server: `https://127.0.0.1:${port}`,
        ca: this.ca.cert,
        credentials: { kind: 'certificate', ...pair },
      }),
    );
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One process that serves. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly port: number;
  readonly peer: Peer;
  /** From the start of the process to its first good answer; NaN where nobody waited for one. */
  readonly readyMs: number;

  constructor(child: ChildProcess, peer: Peer, readyMs: number) {
    this.#child = child;
    this.port = peer.port;
    this.peer = peer;
    this.readyMs = readyMs;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(late);
  }
}

export interface ApiServerOptions {
  readonly bundles: string;
  /** Name of the data folder; a second server on the same one finds the objects of the first. */
  readonly data: string;
  /** Where objects are kept instead of the data folder. */
  readonly etcdServers?: readonly string[] | undefined;
  readonly nodeOptions?: readonly string[];
  /** Where it writes down how long its turns are, once it is asked to. */
  readonly turns?: string | undefined;
}

/** Starts an API server and waits until /readyz says ok. */
export async function startApiServer(
  workshop: Workshop,
  { bundles, data, etcdServers, nodeOptions = [], turns }: ApiServerOptions,
): Promise<ServerProcess> {
  const port = await freePort();
  const folder = workshop.path(data);
  mkdirSync(folder, { recursive: true });
  const flags = {
    ...(etcdServers === undefined ? { 'data-dir': folder } : { 'etcd-servers': etcdServers.join(',') }),
    'secure-port': String(port),
    'bind-address': '127.0.0.1',
    'advertise-address': '192.0.2.1',
    'tls-cert-file': workshop.path('server.crt'),
    'tls-private-key-file': workshop.path('server.key'),
    'client-ca-file': workshop.path('ca.crt'),
    'service-account-signing-key-file': workshop.path('sa.key'),
    'service-account-key-file': workshop.path('sa.key'),
  };
  const argv = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const startMs = performance.now();
  const watched = turns === undefined ? [] : ['--import', join(import.meta.dirname, 'load/turns.ts')];
  const env = turns === undefined ? {} : { BENCH_TURNS: turns };
  const child = startBundle(workshop, bundles, 'kube-apiserver', argv, [...nodeOptions, ...watched], env);
  const readyMs = await untilReady(workshop.peer(port), child, workshop, startMs);
  return new ServerProcess(child, workshop.peer(port), readyMs);
}

/** Starts a process from its bundle, with the options that `up` gives it and its output in the workshop. */
export function startBundle(
  workshop: Workshop,
  bundles: string,
  name: string,
  argv: readonly string[],
  nodeOptions: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const log = openSync(workshop.path(`${name}.log`), 'a');
  const extra = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== '');
  return spawn(process.execPath, [...heapOptions(name), ...nodeOptions, ...extra, join(bundles, `${name}.js`), ...argv], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...allocatorEnv(name), ...env },
  });
}

async function untilReady(peer: Peer, child: ChildProcess, workshop: Workshop, startMs: number): Promise<number> {
  for (let tries = 0; tries < readyTries; tries++) {
    if (child.exitCode !== null) throw new Error(`the API server ended: ${readFileSync(workshop.path('kube-apiserver.log'), 'utf8')}`);
    try {
      const connection = await Connection.open(peer);
      const { status } = await connection.request(requestBytes('GET', '/readyz'));
      connection.close();
      if (status === 200) return performance.now() - startMs;
    } catch {
      // Nobody listens yet.
    }
    await sleep(5);
  }
  throw new Error('the API server does not become ready');
}

export async function startRawServer(workshop: Workshop): Promise<ServerProcess> {
  const argv = [join(import.meta.dirname, 'raw-server.ts'), workshop.path('server.crt'), workshop.path('server.key')];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return new ServerProcess(child, workshop.peer(Number(line.toString())), Number.NaN);
}

/** A client of an API server of this workshop. */
export function adminClient({ ca, admin }: Workshop, port: number): RestClient {
  const endpoint = { server: `https://127.0.0.1:${port}`, ca: ca.cert, credentials: { kind: 'certificate', ...admin } as const };
  return connect(endpoint, { clock: systemClock, component: 'bench' });
}

/** Makes a namespace where pods can be created: with its default account. */
export async function makeNamespace(workshop: Workshop, port: number, name: string): Promise<void> {
  await using client = adminClient(workshop, port);
  const never = new AbortController().signal;
  await client.create(namespace, { metadata: { name } }, {}, never);
  await client.create(serviceAccount, { metadata: { name: 'default', namespace: name } }, {}, never);
}

/** The newest revision of the store. */
export async function currentRevision(workshop: Workshop, port: number): Promise<string> {
  await using client = adminClient(workshop, port);
  const { metadata } = await client.list(pod, { limit: 1 }, new AbortController().signal);
  return metadata.resourceVersion ?? '0';
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
