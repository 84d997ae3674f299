// What every backend must do, shown by real connections inside network namespaces: a node with a bridge, pods behind it, a client outside.
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attempt, run } from '#test/testbed/network.ts';
import { type Dispatch, frontOf } from '../model/dispatch.ts';
import { aDispatch, someEndpoints } from '../model/testing.ts';
import type { ProxyBackend } from './contract.ts';

const never = new AbortController().signal;
const pods = ['10.244.0.2', '10.244.0.3', '10.244.0.4'];

const dispatch = aDispatch;
const endpoints = someEndpoints;
const only = (one: Dispatch): ReadonlyMap<string, Dispatch> => new Map([[frontOf(one), one]]);

/** Declares the suite. `make` gives a backend that works in the given network namespace. */
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
      const rest = pods.filter((pod) => pod !== first);
      await backend.change(only(dispatch({ ...sticky, endpoints: endpoints(first, ...rest.slice(1)) })), never);
      await backend.change(only(dispatch({ ...sticky, endpoints: endpoints(...rest, first) })), never);
      expect(new Set(await lab.ask(lab.client, 'http://10.96.0.6/', 8))).toEqual(new Set([first]));
    });

    test('policy Local: clients outside keep to some endpoints, pods and the node itself reach all', async () => {
      const front = { address: '172.31.254.1', endpoints: endpoints('10.244.0.2'), masquerade: 'never' } as const;
      const inside = dispatch({ ...front, clients: 'inside', endpoints: endpoints('10.244.0.3'), masquerade: 'from-node' });
      const port = { ...front, at: 'node-port', address: '', port: 30_081 } as const;
      const insidePort = dispatch({ ...inside, at: 'node-port', address: '', port: 30_081 });
      await backend.replace([dispatch(front), inside, dispatch(port), insidePort], never);
      expect(await lab.ask(lab.client, 'http://172.31.254.1/', 2)).toEqual(['10.244.0.2', '10.244.0.2']);
      expect(await lab.ask(lab.pod(0), 'http://172.31.254.1/', 2)).toEqual(['10.244.0.3', '10.244.0.3']);
      expect(await lab.ask(lab.node, 'http://172.31.254.1/', 2)).toEqual(['10.244.0.3', '10.244.0.3']);
      expect(await lab.ask(lab.client, 'http://192.168.90.1:30081/', 2)).toEqual(['10.244.0.2', '10.244.0.2']);
      expect(await lab.ask(lab.node, 'http://192.168.90.1:30081/', 2)).toEqual(['10.244.0.3', '10.244.0.3']);
      await backend.change(only(dispatch({ ...front, endpoints: [], whenEmpty: 'drop' })), never);
      expect(await lab.ask(lab.client, 'http://172.31.254.1/', 1)).toEqual(['curl exit 28']);
      expect(await lab.ask(lab.pod(0), 'http://172.31.254.1/', 1)).toEqual(['10.244.0.3']);
    });

    test('another port of a Service address is refused, by the node and to pods', async () => {
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.2'), isVirtual: true })], never);
      expect(await lab.ask(lab.node, 'http://10.96.0.5:81/', 1)).toEqual(['curl exit 7']);
      expect(await lab.ask(lab.pod(1), 'http://10.96.0.5:81/', 1)).toEqual(['curl exit 7']);
    });

    test('an endpoint may be the node itself', async () => {
      await backend.replace([dispatch({ endpoints: endpoints('192.168.90.1') })], never);
      for (const from of [lab.node, lab.pod(0), lab.client]) expect(await lab.ask(from, 'http://10.96.0.5/', 1)).toEqual(['192.168.90.1']);
    });

    test('established connections outlive their endpoint’s leaving', async () => {
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.2') })], never);
      const connection = lab.connect(lab.pod(1), '10.96.0.5', 80);
      expect(await connection.ask()).toBe('10.244.0.2');
      await backend.change(only(dispatch({ endpoints: endpoints('10.244.0.3') })), never);
      expect(await connection.ask()).toBe('10.244.0.2');
      await backend.change(only(dispatch({})), never);
      expect(await connection.ask()).toBe('10.244.0.2');
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.4') })], never);
      expect(await connection.ask()).toBe('10.244.0.2');
      connection.end();
      expect(await lab.ask(lab.pod(1), 'http://10.96.0.5/', 1)).toEqual(['10.244.0.4']);
    });

    test('UDP flows leave a gone endpoint, also when it went while nobody looked', async () => {
      const udp = (...ips: string[]): Dispatch => dispatch({ protocol: 'udp', endpoints: endpoints(...ips) });
      await backend.replace([udp('10.244.0.2')], never);
      const flow = lab.connect(lab.pod(1), '10.96.0.5', 80, 'udp');
      expect(await flow.ask()).toBe('10.244.0.2');
      await backend.change(only(udp('10.244.0.3')), never);
      expect(await flow.ask()).toBe('10.244.0.3');
      await make(lab.node).replace([udp('10.244.0.4')], never);
      expect(await flow.ask()).toBe('10.244.0.4');
      flow.end();
      await backend.replace([], never);
    });

    test('thousands of endpoints change as fast as a few', async () => {
      const many = Array.from({ length: 3_000 }, (_, index) => `10.245.${index >> 8}.${index & 255}`);
      await backend.replace([dispatch({ endpoints: endpoints(...many) })], never);
      await backend.change(only(dispatch({ endpoints: endpoints(...many.slice(1)) })), never);
      await backend.change(only(dispatch({ endpoints: endpoints(...many.slice(1, 500)) })), never);
      await backend.change(only(dispatch({ endpoints: endpoints('10.244.0.2') })), never);
      expect(await lab.ask(lab.node, 'http://10.96.0.5/', 2)).toEqual(['10.244.0.2', '10.244.0.2']);
    });

    test('a route to the loopback is enough for a node to reach Services, and nobody waits for an address without Service', async () => {
      await backend.replace([dispatch({ endpoints: endpoints('10.244.0.2') })], never);
      run('ip', '-n', lab.node, 'route', 'del', 'default');
      run('ip', '-n', lab.node, 'route', 'add', '10.96.0.0/12', 'dev', 'lo');
      try {
        expect(await lab.ask(lab.node, 'http://10.96.0.5/', 2)).toEqual(['10.244.0.2', '10.244.0.2']);
        expect(await lab.ask(lab.node, 'http://10.96.0.5/big -o /dev/null -w %{size_download}', 1)).toEqual(['2000000']);
        expect(await lab.ask(lab.node, 'http://10.96.9.9/', 1)).toEqual(['curl exit 7']);
        expect(await lab.ask(lab.pod(0), 'http://10.96.9.9/', 1)).toEqual(['curl exit 7']);
        expect(await lab.ask(lab.pod(0), 'http://10.96.0.5/', 1)).toEqual(['10.244.0.2']);
      } finally {
        run('ip', '-n', lab.node, 'route', 'del', '10.96.0.0/12');
        run('ip', '-n', lab.node, 'route', 'add', 'default', 'via', '192.168.90.2');
      }
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
    await this.#serve(node, '192.168.90.1');
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
    await this.#serve(name, address);
  }

  /** Answers with its address: HTTP and UDP on port 8080; 2 MB at /big; TCP lines that are no HTTP, too. */
  async #serve(name: string, address: string): Promise<void> {
    const script = `const answer = ${JSON.stringify(address)};
      require('node:http').createServer((q, r) => r.end(q.url === '/big' ? Buffer.alloc(2e6) : answer)).listen(8080, () => {
        const udp = require('node:dgram').createSocket('udp4');
        udp.on('message', (_, from) => udp.send(answer, from.port, from.address));
        udp.bind(8080, () => console.log('up'));
      })`;
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#servers.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }

  /** One connection (or flow) from a namespace that stays; each `ask` sends on it and answers what came back. */
  connect(from: string, host: string, port: number, protocol: 'tcp' | 'udp' = 'tcp'): { ask(): Promise<string>; end(): void } {
    const tcp = `const socket = require('node:net').connect(${port}, '${host}');
      socket.on('data', (d) => console.log(d.toString().split('\\r\\n\\r\\n')[1]));
      process.stdin.on('data', () => socket.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'));`;
    const udp = `const socket = require('node:dgram').createSocket('udp4');
      socket.on('message', (d) => console.log(d.toString()));
      process.stdin.on('data', () => socket.send('?', ${port}, '${host}'));`;
    const args = ['netns', 'exec', from, process.execPath, '-e', protocol === 'tcp' ? tcp : udp];
    const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#servers.push(child);
    const ask = (): Promise<string> =>
      new Promise((resolve, reject) => {
        child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
        child.once('exit', () => reject(new Error('the connection ended')));
        child.stdin.write('?');
      });
    return { ask, end: () => child.kill('SIGKILL') };
  }

  /** What `times` connections from a namespace got; `curl exit N` where none came about. */
  async ask(from: string, url: string, times: number): Promise<string[]> {
    const script = `for i in $(seq ${times}); do curl -s --max-time 1 ${url} || printf 'curl exit %s' $?; echo; done`;
    const child = spawn('ip', ['netns', 'exec', from, 'bash', '--norc', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
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
