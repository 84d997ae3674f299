// A rolling update under constant load through the Service's address: a deployment written as Kubernetes' guides say loses no request.
import { expect, test } from 'vitest';
import { Background } from '#test/e2e/background.ts';
import { useCluster } from '#test/e2e/use-cluster.ts';

const cluster = useCluster();

/** Asks over new connections, four at a time, until its input ends; then prints what it counted. */
const loadScript = `
  const http = require('node:http');
  const counts = { ok: 0, failed: 0, versions: {}, errors: {} };
  let going = true;
  const ask = (url) => new Promise((resolve) => {
    const fail = (why) => { counts.failed++; counts.errors[why] = (counts.errors[why] ?? 0) + 1; resolve(); };
    const call = http.get(url, { agent: false, timeout: 5000 }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('error', (error) => fail('answer ' + error.code));
      answer.on('end', () => {
        const version = /version (\\d)/.exec(text)?.[1];
        if (answer.statusCode !== 200 || version === undefined) return fail('status ' + answer.statusCode);
        counts.ok++;
        counts.versions[version] = (counts.versions[version] ?? 0) + 1;
        resolve();
      });
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', (error) => fail(error.code ?? error.message));
  });
  const worker = async () => { while (going) { await ask(process.argv[1]); await new Promise((next) => setTimeout(next, 5)); } };
  const workers = [1, 2, 3, 4].map(worker);
  console.log('asking');
  process.stdin.resume().on('end', async () => { going = false; await Promise.all(workers); console.log(JSON.stringify(counts)); });
`;

interface Counts {
  readonly ok: number;
  readonly failed: number;
  readonly versions: Record<string, number>;
  readonly errors: Record<string, number>;
}

const manifest = (name: string, container: object): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: {
              containers: [
                {
                  name: 'hello',
                  image: 'coxswain/hello:1',
                  ports: [{ name: 'http', containerPort: 8080 }],
                  readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
                  ...container,
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'http' }] },
      },
    ],
  });

/** Deploys, rolls from version 1 to 2 under load, and answers what the load saw. */
async function rollUnderLoad(name: string, container: object): Promise<Counts> {
  await cluster().apply(manifest(name, container));
  await cluster().kubectl(`rollout status deployment/${name} --timeout=60s`);
  const ip = await cluster().kubectl(['get', 'svc', name, '-o', 'jsonpath={.spec.clusterIP}']);
  await cluster().until('the Service answers', () => cluster().curl(`http://${ip}/`));
  await using load = new Background(cluster().host, [process.execPath, '-e', loadScript, `http://${ip}/`]);
  await load.shows('asking');
  await cluster().kubectl(`set image deployment/${name} hello=coxswain/hello:2`);
  await cluster().kubectl(`rollout status deployment/${name} --timeout=120s`);
  await cluster().until(
    'old pods are gone',
    async () => (await cluster().kubectl(`get pods -l app=${name} -o name`)).trim().split('\n').length === 3,
  );
  load.closeInput();
  await load.ended;
  await cluster().kubectl(`delete deployment,service ${name}`);
  return JSON.parse(load.output.slice(load.output.indexOf('{'))) as Counts;
}

test('no request fails where pods sleep before they stop', async () => {
  const counts = await rollUnderLoad('careful', { lifecycle: { preStop: { exec: { command: ['sleep', '2'] } } } });
  expect(counts).toMatchObject({ failed: 0, errors: {} });
  expect(counts.ok).toBeGreaterThan(200);
  expect(Object.keys(counts.versions).toSorted()).toEqual(['1', '2']);
});

test('pods that end at once lose at most what they were just answering', async () => {
  const counts = await rollUnderLoad('careless', {});
  // Three pods end, and each may be answering all four connections.
  expect(counts.failed, JSON.stringify(counts)).toBeLessThanOrEqual(12);
  expect(counts.ok).toBeGreaterThan(200);
  expect(Object.keys(counts.versions).toSorted()).toEqual(['1', '2']);
});
