// An etcd of somebody else for a fleet: one member on a host of its own, which lets nobody in without a certificate of its authority; or everybody, by
// plain HTTP.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createCa, type KeyPair, signCertificate } from '#base/pki.ts';
import type { Host } from './host.ts';

/** Where hosts have the files that lead there: not where kubeadm keeps its own. */
const folder = '/etc/etcd-client';
const serverFolder = '/etc/etcd';

const tlsFlags = [
  `--cert-file=${serverFolder}/server.crt`,
  `--key-file=${serverFolder}/server.key`,
  `--trusted-ca-file=${serverFolder}/ca.crt`,
  '--client-cert-auth=true',
];

export class ExternalEtcd {
  readonly host: Host;
  /** Undefined: whoever comes is let in. */
  readonly #ca: KeyPair | undefined;

  private constructor(host: Host, ca: KeyPair | undefined) {
    this.host = host;
    this.#ca = ca;
  }

  /** Makes its authority and starts it; resolves when it answers. */
  static async start(host: Host, isPlain = false): Promise<ExternalEtcd> {
    const etcd = new ExternalEtcd(host, isPlain ? undefined : await createCa('somebody-elses-etcd', Date.now()));
    await etcd.#write(host, serverFolder, 'server', ['server', 'client']);
    await etcd.run();
    return etcd;
  }

  /** What a ClusterConfiguration says of it. */
  get document(): Readonly<Record<string, unknown>> {
    const files = { caFile: `${folder}/ca.crt`, certFile: `${folder}/client.crt`, keyFile: `${folder}/client.key` };
    return { external: { endpoints: [this.#url], ...(this.#ca === undefined ? {} : files) } };
  }

  /** Gives a host the files of a client. */
  async admit(host: Host): Promise<void> {
    await this.#write(host, folder, 'client', ['client']);
  }

  /** Starts it; also after a power cut of its host. */
  async run(): Promise<void> {
    const flags = [
      '--name=external',
      '--data-dir=/var/lib/etcd',
      `--listen-client-urls=${this.#url}`,
      `--advertise-client-urls=${this.#url}`,
      ...(this.#ca === undefined ? [] : tlsFlags),
    ];
    const paths = `--cacert ${serverFolder}/ca.crt --cert ${serverFolder}/server.crt --key ${serverFolder}/server.key`;
    const files = this.#ca === undefined ? '' : paths;
    await this.host.sh(`ETCD_UNSUPPORTED_ARCH=${process.arch} setsid etcd ${flags.join(' ')} >/var/log/etcd.log 2>&1 </dev/null &
      for i in $(seq 500); do curl -sf ${files} ${this.#url}/health >/dev/null && exit 0; sleep 0.02; done; tail -5 /var/log/etcd.log >&2; exit 1`);
  }

  /** Runs etcdctl there; answers what it prints. */
  async ctl(words: string): Promise<string> {
    const paths = `--cacert=${serverFolder}/ca.crt --cert=${serverFolder}/server.crt --key=${serverFolder}/server.key`;
    const files = this.#ca === undefined ? '' : paths;
    return await this.host.sh(`ETCDCTL_API=3 etcdctl --endpoints=${this.#url} ${files} ${words}`);
  }

  get #url(): string {
    return `${this.#ca === undefined ? 'http' : 'https'}://${this.host.address}:2379`;
  }

  async #write(host: Host, into: string, name: string, usages: readonly ('client' | 'server')[]): Promise<void> {
    if (this.#ca === undefined) return;
    const request = { commonName: name, ips: [host.address], usages };
    const pair = await signCertificate(this.#ca, request, Date.now());
    const files = { 'ca.crt': this.#ca.cert, [`${name}.crt`]: pair.cert, [`${name}.key`]: pair.key };
    for (const [file, text] of Object.entries(files)) {
      const path = host.pathOf(`${into}/${file}`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { mode: 0o600 });
    }
  }
}
