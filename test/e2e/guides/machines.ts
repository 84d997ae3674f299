// Machines as a guide's reader has them: systemd, Debian's packages and what `./coxswain package` makes, nothing else.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Host } from '#test/testbed/host.ts';
import { defaultKubectl } from '#test/testbed/kubectl.ts';
import { Network } from '#test/testbed/network.ts';
import { type Pasted, Terminal } from './terminal.ts';

const root = join(import.meta.dirname, '../../..');

export class Machines implements AsyncDisposable {
  readonly network = Network.start();
  /** The folder with the two files that `./coxswain package` made. */
  readonly packages = mkdtempSync(join(tmpdir(), 'coxswain-packages-'));
  readonly #hosts = new Map<string, Host>();
  readonly #terminals = new Map<string, Terminal>();

  /** Runs a guide's command in the checkout itself, `./coxswain package` say; what it makes goes to `packages`. */
  inCheckout(command: string): string {
    const script = `cd ${root} && PATH=${join(process.execPath, '..')}:$PATH; ${command.replace(/\.\/coxswain package/, `$& --output ${this.packages}`)}`;
    return execFileSync('bash', ['-ec', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Adds a machine, with the names of others in /etc/hosts, kubectl, and the deploy folder of a checkout where the guides look for it. */
  async add(index: number, names: Readonly<Record<string, string>> = {}): Promise<Host> {
    const host = await Host.start({ network: this.network, index, systemd: true });
    this.#hosts.set(host.name, host);
    for (const [name, address] of Object.entries(names)) await host.sh(`echo ${address} ${name} >>/etc/hosts`);
    // What apt needs to see that a package is there.
    for (const folder of ['var/lib/dpkg', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) {
      mkdirSync(join(host.root, folder), { recursive: true });
    }
    cpSync('/var/lib/dpkg/status', join(host.root, 'var/lib/dpkg/status'));
    cpSync('/var/lib/dpkg/info', join(host.root, 'var/lib/dpkg/info'), { recursive: true });
    await host.sh(`ln -s ${defaultKubectl().path} /usr/local/bin/kubectl`);
    // Where the kernel has everything built in, there may be no modprobe at all.
    if (!existsSync('/lib/modules')) await host.sh('ln -s /bin/true /usr/local/sbin/modprobe');
    cpSync(join(root, 'deploy'), join(host.root, 'root/deploy'), { recursive: true });
    return host;
  }

  host(name: string): Host {
    const found = this.#hosts.get(name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  }

  /** Copies what `./coxswain package` made to root's home, as the guide asks. */
  copyPackage(name: string, archive: string): void {
    cpSync(archive, join(this.host(name).root, 'root', basename(archive)));
  }

  /** Pastes into the terminal of a machine that stays open; throws when a command fails. */
  async on(name: string, text: string, options: { readonly answer?: string; readonly limitMs?: number } = {}): Promise<string> {
    return await this.terminal(name).paste(text, options);
  }

  /** As `on`, for what may fail. */
  async try(name: string, text: string): Promise<Pasted> {
    return await this.terminal(name).tryPaste(text);
  }

  terminal(name: string): Terminal {
    const open = this.#terminals.get(name) ?? new Terminal(this.host(name));
    this.#terminals.set(name, open);
    return open;
  }

  /** Writes a file of a guide. */
  write(name: string, path: string, text: string): void {
    const target = join(this.host(name).root, path);
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const terminal of this.#terminals.values()) terminal[Symbol.dispose]();
    await Promise.all([...this.#hosts.values()].map((host) => host.stop()));
    this.network.stop();
    rmSync(this.packages, { recursive: true, force: true });
  }
}
