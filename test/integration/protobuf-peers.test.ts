// kubectl is written in Go and takes JSON as well as protobuf. Here it is answered as if it took protobuf alone, so that upstream's
// own decoder reads what we write.
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '#apiserver/testing.ts';
import { allKubectls, type Kubectl } from '#test/testbed/kubectl.ts';

/** Older ones use protobuf for nothing. */
const peers = allKubectls().filter(({ version }) => Number(version.split('.')[1]) >= 32);

let server: TestApiServer;
let upstream: Agent;
let between: Server;
/** Content types of the answers to requests that would have taken protobuf. */
const answered: string[] = [];

beforeAll(async () => {
  server = await startTestApiServer();
  const { credentials } = server.adminClientConfig;
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  upstream = new Agent({ connect: { ca: server.ca.cert, cert: credentials.cert, key: credentials.key } });
  between = createServer((incoming, outgoing) => void forward(incoming, outgoing));
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  between.close();
  await upstream.destroy();
  await server.stop();
});

async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { accept = '', 'content-type': contentType } = incoming.headers;
  const ranges = accept.split(',');
  const binary = ranges.filter((range) => range.startsWith('application/vnd.kubernetes.protobuf'));
  const chunks = await incoming.toArray();
  const answer = await request(`${server.url}${incoming.url ?? ''}`, {
    method: incoming.method as 'GET',
    dispatcher: upstream,
    headers: {
      accept: binary.length > 0 ? binary.join(',') : accept,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    body: chunks.length === 0 ? null : Buffer.concat(chunks as Buffer[]),
  });
  const type = String(answer.headers['content-type']);
  if (binary.length > 0) answered.push(type);
  outgoing.writeHead(answer.statusCode, { 'content-type': type });
  try {
    for await (const chunk of answer.body) outgoing.write(chunk);
    outgoing.end();
  } catch {
    // The client has left a watch.
    outgoing.destroy();
  }
}

function run({ path }: Kubectl, args: string): Promise<string> {
  const { port } = between.address() as AddressInfo;
  const all = ['--server', `http://127.0.0.1:${port}`, '--kubeconfig', '/dev/null', ...args.split(' ')];
  return new Promise((resolve) => execFile(path, all, { timeout: 30_000 }, (_error, stdout, stderr) => resolve(stdout + stderr)));
}

test.runIf(peers.length === 0)('there is no kubectl that uses protobuf', () => expect(peers).toEqual([]));

describe.each(peers.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const name = `v${version.replace('.', '-')}`;

  test.each([
    ['create serviceaccount NAME', /serviceaccount\/NAME created/],
    ['create token NAME', /^ey/],
    ['create deployment NAME --image=x:1 --port=80 --replicas=0', /deployment.apps\/NAME created/],
    ['create secret generic NAME --from-literal=a=bcd', /secret\/NAME created/],
    ['create service clusterip NAME --tcp=80:8080', /service\/NAME created/],
    ['create configmap NAME --from-literal=a=b -o jsonpath={.data.a}{.metadata.namespace}', /^bdefault/],
    ['describe deployment NAME', /Replicas: +0 desired[\s\S]+Port: +80\/TCP[\s\S]+Events: +<none>/],
    ['describe service NAME', /TargetPort: +8080\/TCP/],
    ['describe secret NAME', /a: +3 bytes/],
    ['describe namespace default', /Status: +Active/],
    ['rollout history deployment NAME', /deployment.apps\/NAME/],
    ['auth can-i list pods', /^yes/],
    ['create token nothing', /serviceaccounts "nothing" not found/],
    ['events', /No events found in default namespace/],
  ])('%s', async (command, expected) => {
    answered.length = 0;
    const output = await run(kubectl, command.replace('NAME', name));
    expect(output).toMatch(new RegExp(expected.source.replace('NAME', name)));
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.filter((type) => !type.startsWith('application/vnd.kubernetes.protobuf'))).toEqual([]);
  });
});
