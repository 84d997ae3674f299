// A cluster of several hosts on one machine: control planes, workers and a haproxy in front, made as the guide says, by kubeadm.
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExternalEtcd } from './external-etcd.ts';
import { type ExecOptions, type ExecResult, Host, type HostOptions } from './host.ts';
import { defaultKubectl } from './kubectl.ts';
import { LongCable } from './long-cable.ts';
import { attempt, Network, run } from './network.ts';

const lossTable = 'testbed-loss';
const wireTable = (cable: string): string => `testbed-${cable}`;
const projectRoot = join(import.meta.dirname, '../..');
/** Where a host has an installation of its own. */
const ownInstallation = '/opt/coxswain';
const podNetwork = '10.244.0.0/16';

interface FleetOptions {
  /** Default 3, 1 to 5. */
  readonly controlPlanes?: number;
  /** Default 2. */
  readonly workers?: number;
  /** What the hosts of the cluster are like. */
  readonly host?: Pick<HostOptions, 'diskMegabytes' | 'movableClock'>;
  /** Further fields of kubeadm's ClusterConfiguration; default: the cluster is made by flags alone. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  /** `external`: one member on host 8, with TLS; `plain`: one without; default: a member on each control plane. */
  readonly etcd?: 'stacked' | 'external' | 'plain';
  /** `own`: each host has the programs on its own disk, where `install` puts others in their place; default: all share this project's. */
  readonly programs?: 'shared' | 'own';
  /** False: the other hosts than the first stay out of the cluster until `join`. */
  readonly joins?: boolean;
  /** Says what is done. */
  readonly progress?: (text: string) => void;
}

/** What a host is for; host 9 is the load balancer, host 8 an etcd of somebody else. */
type Role = 'control-plane' | 'worker' | 'load-balancer' | 'etcd';

const balancerIndex = 9;
const etcdIndex = 8;
export const balancerEndpoint = `192.168.77.1${balancerIndex}:16443`;

export class Fleet implements AsyncDisposable {
  readonly network: Network;
  readonly hosts = new Map<string, Host>();
  readonly roles = new Map<string, Role>();
  readonly #progress: (text: string) => void;
  /** Where hosts have their programs. */
  readonly #programs: string;
  readonly #cables = new Map<string, LongCable>();
  #etcd: ExternalEtcd | undefined;
  #joinWorker = '';
  #joinControlPlane = '';

  private constructor(progress: (text: string) => void, programs: string) {
    this.network = Network.start();
    this.#progress = progress;
    this.#programs = programs;
  }

  /** Makes the hosts and the cluster on them; resolves when every node has joined. */
  static async start({
    controlPlanes = 3,
    workers = 2,
    host = {},
    cluster,
    etcd = 'stacked',
    joins = true,
    programs = 'shared',
    progress = () => undefined,
  }: FleetOptions = {}): Promise<Fleet> {
    const fleet = new Fleet(progress, programs === 'own' ? ownInstallation : projectRoot);
    try {
      await fleet.#makeHosts(controlPlanes, workers, host);
      await fleet.#startBalancer(controlPlanes);
      if (etcd !== 'stacked') await fleet.#startEtcd(etcd === 'plain');
      await fleet.#init(fleet.#etcd === undefined ? cluster : { ...cluster, etcd: fleet.#etcd.document });
      if (!joins) return fleet;
      for (const name of [...fleet.#named('control-plane').slice(1), ...fleet.#named('worker')]) await fleet.join(name);
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  /** The etcd of somebody else. Throws where there is none. */
  get etcd(): ExternalEtcd {
    if (this.#etcd === undefined) throw new Error('this fleet has its etcd on its control planes');
    return this.#etcd;
  }

  /** What `init` printed for those who join, without `kubeadm`. */
  joinWords(role: 'control-plane' | 'worker'): string {
    return (role === 'control-plane' ? this.#joinControlPlane : this.#joinWorker).replace(/^kubeadm /, '');
  }

  /** A host by its name. Throws for a name that is none. */
  host(name: string): Host {
    const found = this.hosts.get(name);
    if (found === undefined) throw new Error(`no host ${JSON.stringify(name)}: there are ${[...this.hosts.keys()].join(', ')}`);
    return found;
  }

  /** Runs kubectl as the administrator, through the load balancer; never rejects for an exit code. */
  kubectl(args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { path } = defaultKubectl();
    const env = { KUBECONFIG: '/root/admin.conf', ...options.env };
    return this.host(`host${balancerIndex}`).exec([path, ...args], { ...options, env });
  }

  /** Runs kubeadm on a host; throws with what it said when it fails. */
  async kubeadm(name: string, words: string, env: ExecOptions['env'] = {}): Promise<string> {
    // The hosts share the cache of whoever runs them, where there is one.
    const { NODE_COMPILE_CACHE } = process.env;
    const shared = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
    return await this.host(name).sh(`${process.execPath} ${join(this.#programs, 'dist/kubeadm.js')} ${words} 2>&1`, {
      env: { ...shared, ...env },
    });
  }

  /** Puts the programs of a folder in place of those that a host has, as a package manager does: what runs goes on until it is started anew. */
  install(name: string, dist = join(projectRoot, 'dist')): void {
    if (this.#programs !== ownInstallation) throw new Error('the hosts of this fleet share their programs');
    const folder = join(this.host(name).root, ownInstallation);
    rmSync(folder, { recursive: true, force: true });
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    for (const shared of ['node_modules', 'package.json']) symlinkSync(join(projectRoot, shared), join(folder, shared));
  }

  /** Ends the agent of a host and starts the one that is installed now, as docs/guides/upgrade.md says. */
  async restartAgent(name: string): Promise<void> {
    const pid = '/run/coxswain/node.pid';
    await this.host(name).sh(`kill "$(cat ${pid})"; while [ -e ${pid} ]; do sleep 0.1; done`);
    await this.#runAgent(this.host(name));
  }

  /** Joins a host by the command that `init` printed. */
  async join(name: string): Promise<void> {
    const isControlPlane = this.roles.get(name) === 'control-plane';
    this.#progress(`${name} joins as a ${isControlPlane ? 'control plane' : 'worker'}`);
    await this.kubeadm(name, this.joinWords(isControlPlane ? 'control-plane' : 'worker'));
  }

  /** Pulls the cable out of the host. */
  cut(name: string): void {
    run('ip', '-n', this.network.switchName, 'link', 'set', this.host(name).cable, 'down');
  }

  /** Breaks one wire of the cable: `out`, what the host sends is lost; `in`, what is sent to it. */
  cutOneWay(name: string, way: 'in' | 'out'): void {
    const { namespace, cable } = this.host(name);
    const [where, device] = way === 'in' ? [namespace, 'eth0'] : [this.network.switchName, cable];
    const table = `table netdev ${wireTable(cable)} { chain wire { type filter hook ingress device "${device}" priority 0; drop; }; }`;
    run('ip', 'netns', 'exec', where, 'nft', table);
  }

  /** Makes the cable so long that whatever goes through it arrives so much later, each way. */
  async makeLong(name: string, delayMs: number): Promise<void> {
    const { cable } = this.host(name);
    this.#cables.set(name, await LongCable.start({ network: this.network, cable, index: Number(name.slice('host'.length)), delayMs }));
  }

  /** Loses so many of a hundred packets that come to the host or leave it. */
  makeLossy(name: string, percent: number): void {
    const { namespace } = this.host(name);
    const lose = (hook: string, device: string): string =>
      `chain ${hook} { type filter hook ${hook} priority -500; ${device} "eth0" numgen random mod 100 < ${percent} drop; }`;
    const table = `table inet ${lossTable} { ${lose('input', 'iifname')}; ${lose('output', 'oifname')}; }`;
    run('ip', 'netns', 'exec', namespace, 'nft', `${table}`);
  }

  /** Lets only so much through the cable, each way; what waits for its turn comes later. */
  makeSlow(name: string, kilobits: number): void {
    const { namespace, cable } = this.host(name);
    const limit = ['tbf', 'rate', `${kilobits}kbit`, 'burst', '16k', 'latency', '400ms'];
    run('tc', '-n', namespace, 'qdisc', 'replace', 'dev', 'eth0', 'root', ...limit);
    run('tc', '-n', this.network.switchName, 'qdisc', 'replace', 'dev', cable, 'root', ...limit);
  }

  /** Puts the cable back, and makes it a good one. */
  heal(name: string): void {
    const { namespace, cable } = this.host(name);
    this.#cables.get(name)?.stop();
    this.#cables.delete(name);
    run('ip', '-n', this.network.switchName, 'link', 'set', cable, 'up');
    for (const where of [namespace, this.network.switchName]) {
      attempt('ip', 'netns', 'exec', where, 'nft', 'delete', 'table', 'netdev', wireTable(cable));
    }
    attempt('ip', 'netns', 'exec', namespace, 'nft', 'delete', 'table', 'inet', lossTable);
    attempt('tc', '-n', namespace, 'qdisc', 'del', 'dev', 'eth0', 'root');
    attempt('tc', '-n', this.network.switchName, 'qdisc', 'del', 'dev', cable, 'root');
  }

  /** Kills everything on the host at once. */
  async powerOff(name: string): Promise<void> {
    await this.host(name).powerOff();
  }

  /** Starts the host again, and what a boot starts: Docker, and the agent or the load balancer. */
  async powerOn(name: string): Promise<void> {
    const host = this.host(name);
    await host.boot();
    if (this.roles.get(name) === 'load-balancer') return await this.#runBalancer();
    if (this.roles.get(name) === 'etcd') return await this.etcd.run();
    await host.startDocker();
    await this.#runAgent(host);
  }

  async stop(): Promise<void> {
    for (const cable of this.#cables.values()) cable.stop();
    await Promise.all([...this.hosts.values()].map((host) => host.stop()));
    this.network.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #named(role: Role): readonly string[] {
    return [...this.roles].filter(([, found]) => found === role).map(([name]) => name);
  }

  async #makeHosts(controlPlanes: number, workers: number, options: NonNullable<FleetOptions['host']>): Promise<void> {
    this.#progress(`making ${controlPlanes + workers + 1} hosts`);
    const indexes = Array.from({ length: controlPlanes + workers }, (_, at) => at + 1);
    const start = async (index: number, role: Role): Promise<void> => {
      const own = role === 'load-balancer' ? {} : options;
      const host = await Host.start({ network: this.network, index, docker: role !== 'load-balancer', ...own });
      this.hosts.set(host.name, host);
      if (this.#programs === ownInstallation) this.install(host.name);
      // By itself, kubeadm would start the agent without it.
      if (Object.keys(host.clockEnvironment).length > 0) await this.#runAgent(host);
      await host.sh('sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 || true');
    };
    for (const index of indexes) this.roles.set(`host${index}`, index <= controlPlanes ? 'control-plane' : 'worker');
    this.roles.set(`host${balancerIndex}`, 'load-balancer');
    await Promise.all([
      ...indexes.map((index) => start(index, index <= controlPlanes ? 'control-plane' : 'worker')),
      start(balancerIndex, 'load-balancer'),
    ]);
  }

  async #runAgent(host: Host): Promise<void> {
    const env = Object.entries(host.clockEnvironment).map(([name, value]) => `${name}=${value}`);
    const command = `${process.execPath} ${join(this.#programs, 'dist/coxswain.js')} node`;
    await host.sh(`mkdir -p /var/log/coxswain; setsid env ${env.join(' ')} ${command} >>/var/log/coxswain/node.log 2>&1 </dev/null &`);
  }

  async #startEtcd(isPlain: boolean): Promise<void> {
    this.#progress(`host${etcdIndex} starts etcd`);
    const host = await Host.start({ network: this.network, index: etcdIndex });
    this.hosts.set(host.name, host);
    this.roles.set(host.name, 'etcd');
    this.#etcd = await ExternalEtcd.start(host, isPlain);
    await this.#etcd.admit(this.host('host1'));
  }

  async #startBalancer(controlPlanes: number): Promise<void> {
    const template = readFileSync(join(projectRoot, 'deploy/haproxy/haproxy.cfg'), 'utf8').replace(/^ {4}server cp.*\n/gm, '');
    const servers = Array.from({ length: controlPlanes }, (_, at) => `    server cp${at + 1} 192.168.77.1${at + 1}:6443\n`);
    writeFileSync(this.host(`host${balancerIndex}`).pathOf('/etc/haproxy.cfg'), template + servers.join(''));
    await this.#runBalancer();
  }

  async #runBalancer(): Promise<void> {
    await this.host(`host${balancerIndex}`).sh(
      'setsid haproxy -f /etc/haproxy.cfg >/var/log/haproxy.log 2>&1 </dev/null & sleep 0.2; kill -0 $!',
    );
  }

  async #init(cluster: FleetOptions['cluster']): Promise<void> {
    this.#progress('host1 makes the cluster');
    let flags = `--control-plane-endpoint ${balancerEndpoint} --pod-network-cidr ${podNetwork} --upload-certs`;
    if (cluster !== undefined) {
      const meta = { apiVersion: 'kubeadm.k8s.io/v1beta4', kind: 'ClusterConfiguration' };
      const document = { ...meta, controlPlaneEndpoint: balancerEndpoint, networking: { podSubnet: podNetwork }, ...cluster };
      writeFileSync(this.host('host1').pathOf('/root/kubeadm.yaml'), JSON.stringify(document));
      flags = '--config /root/kubeadm.yaml --upload-certs';
    }
    const text = await this.kubeadm('host1', `init ${flags}`);
    const commands = [...text.matchAll(/kubeadm join(?:[^\n\\]|\\\n)*/g)].map(([command]) => command.replaceAll(/\\\n\s*/g, ' '));
    this.#joinControlPlane = commands.find((command) => command.includes('--control-plane')) ?? '';
    this.#joinWorker = commands.find((command) => !command.includes('--control-plane')) ?? '';
    const admin = readFileSync(this.host('host1').pathOf('/etc/kubernetes/admin.conf'), 'utf8');
    writeFileSync(this.host(`host${balancerIndex}`).pathOf('/root/admin.conf'), admin);
  }
}
