import { expect } from 'vitest';
import { Background } from '#test/e2e/background.ts';
import type { LocalCluster } from '#test/e2e/cluster.ts';

/**
 * Creates ConfigMaps and counts one up, one write after another, and prints each write that was acknowledged. A failed write is
 * not repeated: nobody knows what became of it.
 */
const script = `
  const https = require('node:https');
  const text = require('node:fs').readFileSync('/var/lib/coxswain/kubeconfig/admin.conf', 'utf8');
  const field = (name) => Buffer.from(new RegExp(name + ': *"?([A-Za-z0-9+/=]+)').exec(text)[1], 'base64');
  const agent = new https.Agent({
    keepAlive: true,
    ca: field('certificate-authority-data'), cert: field('client-certificate-data'), key: field('client-key-data'),
  });
  const send = (method, path, type, body) => new Promise((resolve) => {
    const call = https.request({ host: '127.0.0.1', port: 6443, method, path, agent, timeout: 20000, headers: { 'content-type': type } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
      answer.on('error', () => resolve(0));
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', () => resolve(0));
    call.end(JSON.stringify(body));
  });
  const base = '/api/v1/namespaces/default/configmaps';
  let going = true;
  process.stdin.resume().on('end', () => (going = false));
  (async () => {
    await send('POST', base, 'application/json', { metadata: { name: 'counter' }, data: { value: '0' } });
    for (let at = 1; going; at++) {
      const name = 'written-' + process.argv[1] + '-' + at;
      if ((await send('POST', base, 'application/json', { metadata: { name }, data: { at: String(at) } })) === 201) console.log('created ' + name);
      const patch = { data: { [process.argv[1]]: String(at) } };
      if ((await send('PATCH', base + '/counter', 'application/merge-patch+json', patch)) === 200) console.log('counted ' + at);
      await new Promise((next) => setTimeout(next, 10));
    }
    console.log('done');
  })();
`;

/** Writes while faults happen; `check` then compares what was acknowledged with what is there. */
export class Writer {
  readonly #cluster: LocalCluster;
  readonly #process: Background;
  readonly #mark: string;

  constructor(cluster: LocalCluster, mark: string) {
    this.#cluster = cluster;
    this.#mark = mark;
    this.#process = new Background(cluster.host, [process.execPath, '-e', script, mark]);
  }

  async started(): Promise<void> {
    await this.#process.shows('counted 3\n');
  }

  /** Ends the writing and asserts that nothing acknowledged is lost. */
  async check(): Promise<void> {
    this.#process.closeInput();
    await this.#process.ended;
    const created = [...this.#process.output.matchAll(/^created (\S+)$/gm)].map(([, name]) => name);
    const counted = [...this.#process.output.matchAll(/^counted (\d+)$/gm)].map(([, value]) => Number(value));
    const names = new Set((await this.#cluster.kubectl('get configmaps -o name')).split('\n').map((line) => line.split('/')[1]));
    expect(created.filter((name) => !names.has(name))).toEqual([]);
    const value = await this.#cluster.kubectl(['get', 'configmap', 'counter', '-o', `jsonpath={.data.${this.#mark}}`]);
    expect(Number(value)).toBeGreaterThanOrEqual(counted.at(-1) ?? 0);
    expect(created.length).toBeGreaterThan(5);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
