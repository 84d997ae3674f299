// Real etcd processes for tests and measurements: members on free ports of loopback, in a folder of their own, gone with the object.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';

const readyTries = 600;
/** Another etcd than the host's: the folder of its `etcd` and `etcdctl`. */
const { COXSWAIN_ETCD: etcdFolder = '', PATH: hostPath = '' } = process.env;
const searchPath = etcdFolder === '' ? hostPath : `${etcdFolder}${delimiter}${hostPath}`;

export interface EtcdClusterOptions {
  /** Default 1. */
  readonly members?: number;
  /** Clients need a certificate of the cluster's authority. */
  readonly tls?: boolean;
  /** Further flags of every member. */
  readonly flags?: readonly string[];
}

interface Member {
  readonly name: string;
  readonly url: string;
  readonly peerUrl: string;
  child: ChildProcess | undefined;
}

export class EtcdCluster implements AsyncDisposable {
  readonly folder: string;
  /** Undefined without TLS. */
  readonly ca: KeyPair | undefined;
  readonly #members: readonly Member[];
  readonly #flags: readonly string[];

  private constructor(folder: string, members: readonly Member[], ca: KeyPair | undefined, flags: readonly string[]) {
    this.folder = folder;
    this.#members = members;
    this.ca = ca;
    this.#flags = flags;
  }

  /** Resolves when every member listens. */
  static async start({ members = 1, tls = false, flags = [] }: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-etcd-'));
    const ca = tls ? await createCa('etcd-ca', Date.now()) : undefined;
    const ports = await freePorts(members * 2);
    const all = Array.from({ length: members }, (_, at) => ({
      name: `m${at}`,
      url: `${tls ? 'https' : 'http'}://127.0.0.1:${ports[2 * at]}`,
      peerUrl: `http://127.0.0.1:${ports[2 * at + 1]}`,
      child: undefined,
    }));
    const cluster = new EtcdCluster(folder, all, ca, flags);
    try {
      if (ca !== undefined) await cluster.writeCertificate('server', ['server', 'client']);
      await Promise.all(all.map((_, at) => cluster.startMember(at)));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Addresses for clients. */
  get servers(): readonly string[] {
    return this.#members.map(({ url }) => url);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes NAME.crt and NAME.key, signed by the cluster's authority, beside ca.crt. */
  async writeCertificate(name: string, usages: readonly ('client' | 'server')[] = ['client'], ca = this.ca): Promise<void> {
    if (ca === undefined) throw new Error('this etcd has no TLS');
    const pair = await signCertificate(ca, { commonName: name, dnsNames: ['localhost'], ips: ['127.0.0.1'], usages }, Date.now());
    writeFileSync(this.path('ca.crt'), ca.cert);
    writeFileSync(this.path(`${name}.crt`), pair.cert);
    writeFileSync(this.path(`${name}.key`), pair.key);
  }

  /** Starts a member, or starts it again on what it kept. */
  async startMember(at: number): Promise<void> {
    const member = this.#member(at);
    const log = openSync(this.path(`${member.name}.log`), 'a');
    member.child = spawn('etcd', this.#argv(member), {
      stdio: ['ignore', log, log],
      env: { PATH: searchPath, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    const { port } = new URL(member.url);
    for (let tries = 0; tries < readyTries; tries++) {
      if (member.child.exitCode !== null) break;
      if (await listens(Number(port))) return;
      await sleep(20);
    }
    throw new Error(`etcd does not start: ${readFileSync(this.path(`${member.name}.log`), 'utf8').slice(-2_000)}`);
  }

  /** Runs etcdctl against all members; answers what it prints. */
  async ctl(...args: readonly string[]): Promise<string> {
    const env = { PATH: searchPath, ETCDCTL_API: '3' };
    const { stdout } = await promisify(execFile)('etcdctl', [`--endpoints=${this.servers.join(',')}`, ...args], { env });
    return stdout;
  }

  /** Sends a signal; SIGKILL resolves when the member is gone. */
  async signal(at: number, kind: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const { child } = this.#member(at);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(kind);
    if (kind === 'SIGKILL') await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((_, at) => this.signal(at, 'SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #member(at: number): Member {
    const member = this.#members[at];
    if (member === undefined) throw new Error(`there is no member ${at}`);
    return member;
  }

  #argv({ name, url, peerUrl }: Member): string[] {
    const secure = ['cert-file=server.crt', 'key-file=server.key', 'trusted-ca-file=ca.crt'].map((flag) => {
      const [option, file = ''] = flag.split('=');
      return `--${option}=${this.path(file)}`;
    });
    return [
      `--name=${name}`,
      `--data-dir=${this.path(name)}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${this.#members.map((member) => `${member.name}=${member.peerUrl}`).join(',')}`,
      `--initial-cluster-token=${this.folder}`,
      '--log-level=warn',
      '--logger=zap',
      ...(this.ca === undefined ? [] : [...secure, '--client-cert-auth=true']),
      ...this.#flags,
    ];
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Taken all at once, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}
