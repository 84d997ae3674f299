// What every backend must do, shown by real connections inside network namespaces: a node with a bridge, pods behind it, a client outside.
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attempt, run } from '#test/testbed/network.ts';
import type { Dispatch, EndpointAddress } from '../model/dispatch.ts';
import { frontOf } from '../model/dispatch.ts';
import type { ProxyBackend } from './contract.ts';

const never = new AbortController().signal;
const pods = ['10.244.0.2', '10.244.0.3', '10.244.0.4'];
const servicePort = 80;

const dispatch = (change: Partial<Dispatch>): Dispatch => ({
  at: 'address',
  protocol: 'tcp',
  address: '10.96.0.5',
  port: servicePort,
  endpoints: [],
  affinitySeconds: undefined,
  masquerade: 'outside-pods',
  whenEmpty: 'reject',
  sourceRanges: [],
  ...change,
});
const endpoints = (...ips: string[]): EndpointAddress[] => ips.map((ip) => ({ ip, port: 8_080 }));
const only = (one: Dispatch): ReadonlyMap<string, Dispatch> => new Map([[frontOf(one), one]]);

/** Declares the suite. `make` gives a backend that works in the network namespace it is told. */
export function backendConformance(make: (namespace: string) => ProxyBackend): void {
  describe('proxy backend', () => {
    const lab = new Lab();
    let backend: ProxyBackend;
    beforeAll(async () => {
      await lab.start();
      backend = make(lab.node);
      await backend.replace([], never);
    });
    afterAll(() => lab.stop());

    test('spreads connections over all endpoints', async () => {
      await backend.replace([dispatch({ endpoints: endpoints(...pods) })], never);
      expect(new Set(await lab.ask(lab.node, 'http://10.96.0.5/', 30))).toEqual(new Set(pods));
    });

    test('follows endpoints that come and go', async () => {
      await backend.change(only(dispatch({ endpoints: endpoints('10.244.0.3') })), never);
      expect(new Set(await lab.ask(lab.node, 'http://10.96.0.5/', 8))).toEqual(new Set(['10.244.0.3']));
      await backend.change(only(dispatch({ endpoints: endpoints('10.244.0.4', '10.244.0.2') })), never);
      expect(new Set(await lab.ask(lab.node, 'http://10.96.0.5/', 20))).toEqual(new Set(['10.244.0.2', '10.244.0.4']));
    });

    test('refuses at once where there is no endpoint, and serves again when one comes', async () => {
      await backend.change(only(dispatch({})), never);
      expect(await lab.ask(lab.node, 'http://10.96.0.5/', 1)).toEqual(['curl exit 7']);
      await backend.change(only(dispatch({ endpoints: endpoints('10.244.0.2') })), never);
      expect(await lab.ask(lab.node, 'http://10.96.0.5/', 1)).toEqual(['10.244.0.2']);
    });

    test('a pod reaches a Service, also when the endpoint is itself', async () => {
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.2') })], never);
      expect(await lab.ask(lab.pod(0), 'http://10.96.0.5/', 3)).toEqual(['10.244.0.2', '10.244.0.2', '10.244.0.2']);
      expect(await lab.ask(lab.pod(1), 'http://10.96.0.5/', 1)).toEqual(['10.244.0.2']);
    });

    test('node ports answer clients outside, and the loopback stays closed', async () => {
      await backend.change(
        only(dispatch({ at: 'node-port', address: '', port: 30_080, endpoints: endpoints('10.244.0.3'), masquerade: 'always' })),
        never,
      );
      expect(await lab.ask(lab.client, 'http://192.168.90.1:30080/', 2)).toEqual(['10.244.0.3', '10.244.0.3']);
      expect(await lab.ask(lab.node, 'http://127.0.0.1:30080/', 1)).toEqual(['curl exit 7']);
    });

    test('client affinity sticks, and survives changes of other endpoints', async () => {
      const sticky = { address: '10.96.0.6', affinitySeconds: 60 };
      await backend.change(only(dispatch({ ...sticky, endpoints: endpoints(...pods) })), never);
      const [first = '', ...others] = await lab.ask(lab.client, 'http://10.96.0.6/', 8);
      expect(pods).toContain(first);
      expect(new Set(others)).toEqual(new Set([first]));
    });

    test('source ranges keep others out', async () => {
      const guarded = dispatch({ address: '10.96.0.7', endpoints: endpoints('10.244.0.2'), sourceRanges: ['203.0.113.0/24'] });
      await backend.change(only(guarded), never);
      expect(await lab.ask(lab.client, 'http://10.96.0.7/', 1)).toEqual(['curl exit 28']);
      await backend.change(only({ ...guarded, sourceRanges: ['192.168.90.0/24'] }), never);
      expect(await lab.ask(lab.client, 'http://10.96.0.7/', 1)).toEqual(['10.244.0.2']);
    });

    test('a refused change leaves everything as it was', async () => {
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.2') })], never);
      await expect(
        backend.change(only(dispatch({ address: 'not an address', endpoints: endpoints('10.244.0.2') })), never),
      ).rejects.toThrow();
      await backend.change(only(dispatch({ endpoints: endpoints('10.244.0.4') })), never);
      expect(await lab.ask(lab.node, 'http://10.96.0.5/', 2)).toEqual(['10.244.0.4', '10.244.0.4']);
    });

    test('notices that its rules were taken away, and cleans up after itself', async () => {
      expect(await backend.isIntact(never)).toBe(true);
      await backend.cleanup(never);
      expect(await backend.isIntact(never)).toBe(false);
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.4') })], never);
      expect(await lab.ask(lab.node, 'http://10.96.0.5/', 1)).toEqual(['10.244.0.4']);
    });
  });
}

/** A node (bridge with pods, a cable to a client outside) made of network namespaces. */
class Lab {
  readonly #id = `cxp${randomBytes(3).toString('hex')}`;
  readonly #servers: ChildProcess[] = [];

  get node(): string {
    return `${this.#id}-node`;
  }

  get client(): string {
    return `${this.#id}-client`;
  }

  pod(index: number): string {
    return `${this.#id}-pod${index}`;
  }

  async start(): Promise<void> {
    const { node, client } = this;
    for (const name of [node, client]) run('ip', 'netns', 'add', name);
    run('ip', '-n', node, 'link', 'set', 'lo', 'up');
    run('ip', '-n', node, 'link', 'add', 'br0', 'type', 'bridge');
    run('ip', '-n', node, 'addr', 'add', '10.244.0.1/24', 'dev', 'br0');
    run('ip', '-n', node, 'link', 'set', 'br0', 'up');
    run('ip', '-n', node, 'link', 'add', 'out', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', client);
    run('ip', '-n', node, 'addr', 'add', '192.168.90.1/24', 'dev', 'out');
    run('ip', '-n', node, 'link', 'set', 'out', 'up');
    run('ip', '-n', client, 'addr', 'add', '192.168.90.2/24', 'dev', 'eth0');
    run('ip', '-n', client, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', client, 'route', 'add', 'default', 'via', '192.168.90.1');
    run('ip', '-n', node, 'route', 'add', 'default', 'via', '192.168.90.2');
    run('ip', 'netns', 'exec', node, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    attempt('ip', 'netns', 'exec', node, 'sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=1');
    for (const index of pods.keys()) await this.#startPod(index);
  }

  async #startPod(index: number): Promise<void> {
    const [name, address = ''] = [this.pod(index), pods[index]];
    run('ip', 'netns', 'add', name);
    run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    run('ip', '-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `pod${index}`, 'netns', this.node);
    run('ip', '-n', this.node, 'link', 'set', `pod${index}`, 'master', 'br0', 'up');
    run('ip', '-n', this.node, 'link', 'set', `pod${index}`, 'type', 'bridge_slave', 'hairpin', 'on');
    run('ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', name, 'route', 'add', 'default', 'via', '10.244.0.1');
    const server = `require('node:http').createServer((q, r) => r.end('${address}')).listen(8080, () => console.log('up'))`;
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#servers.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }

  /** What `times` connections from a namespace got; `curl exit N` where none came about. */
  async ask(from: string, url: string, times: number): Promise<string[]> {
    const script = `for i in $(seq ${times}); do curl -s --max-time 1 ${url} || printf 'curl exit %s' $?; echo; done`;
    const child = spawn('ip', ['netns', 'exec', from, 'bash', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    return text.trim().split('\n');
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.kill('SIGKILL');
    await sleep(20);
    for (const name of [this.node, this.client, ...pods.map((_, index) => this.pod(index))]) attempt('ip', 'netns', 'del', name);
  }
}
