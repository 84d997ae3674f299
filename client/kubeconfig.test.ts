import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync, existsSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { endpointOf, findEndpoint, inClusterEndpoint, kubeconfigPaths, kubeconfigPathToWrite, readKubeconfig } from './kubeconfig.ts';
import { addContext, kubeconfigText, removeContext } from './kubeconfig-file.ts';

const never = new AbortController().signal;
const mine = {
  name: 'coxswain',
  server: 'https://127.0.0.1:6443',
  ca: 'CA',
  credentials: { kind: 'certificate', cert: 'CERT', key: 'KEY' },
} as const;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('reading', () => {
  test('files of KUBECONFIG count in order, the first of each name wins', () => {
    const one = file('one', kubeconfigText({ ...mine, name: 'a', server: 'https://one:1' }));
    const two = file(
      'two',
      `${kubeconfigText({ ...mine, name: 'b', server: 'https://two:2' })}`.replace(
        'clusters:\n',
        'clusters:\n  - name: a\n    cluster:\n      server: https://late:9\n',
      ),
    );
    const env = { KUBECONFIG: `${one}:${two}:${join(folder, 'missing')}` };
    const config = readKubeconfig(kubeconfigPaths(env));
    expect(config.currentContext).toBe('a');
    expect(endpointOf(config).server).toBe('https://one:1');
    expect(endpointOf(config, 'b')).toEqual({
      server: 'https://two:2',
      ca: 'CA',
      credentials: { kind: 'certificate', cert: 'CERT', key: 'KEY' },
    });
    expect(kubeconfigPathToWrite({ KUBECONFIG: `${join(folder, 'missing')}:${two}` })).toBe(two);
    expect(kubeconfigPathToWrite({ KUBECONFIG: `${join(folder, 'x')}:${join(folder, 'y')}` })).toBe(join(folder, 'y'));
    expect(kubeconfigPaths({ HOME: '/home/x' })).toEqual(['/home/x/.kube/config']);
  });

  test('files are relative to the kubeconfig, and stay files', () => {
    file('ca.crt', 'THE CA');
    const path = file(
      'config',
      `clusters: [{name: c, cluster: {server: "https://h:1", certificate-authority: ca.crt, tls-server-name: kubernetes}}]
users: [{name: u, user: {client-certificate: pki/me.crt, client-key: /abs/me.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x`,
    );
    expect(endpointOf(readKubeconfig([path]))).toEqual({
      server: 'https://h:1',
      ca: 'THE CA',
      serverName: 'kubernetes',
      credentials: { kind: 'certificate-files', certFile: join(folder, 'pki/me.crt'), keyFile: '/abs/me.key' },
    });
  });

  test.each([
    { user: '{token: abc}', credentials: { kind: 'token', token: 'abc' } },
    { user: '{token: abc, tokenFile: /t}', credentials: { kind: 'token-file', tokenFile: '/t' } },
    { user: '{}', credentials: { kind: 'none' } },
  ])('user $user', ({ user, credentials }) => {
    const path = file('config', configWith(user));
    expect(endpointOf(readKubeconfig([path])).credentials).toEqual(credentials);
  });

  test.each([
    { text: configWith('{exec: {command: aws}}'), message: 'exec is not supported' },
    { text: configWith('{client-certificate-data: QQ==}'), message: 'not both' },
    { text: 'current-context: y', message: 'no context "y"' },
    { text: '', message: 'no current context' },
    { text: 'contexts: [{name: x, context: {cluster: z}}]\ncurrent-context: x', message: 'no cluster "z"' },
    { text: '[broken', message: 'cannot be read' },
  ])('refuses: $message', ({ text, message }) => {
    const path = file('config', text);
    expect(() => findEndpoint({ path, env: {} })).toThrow(message);
  });

  test('a file that was asked for must exist; without any, a pod uses its account', () => {
    expect(() => findEndpoint({ path: join(folder, 'none'), env: {} })).toThrow('does not exist');
    expect(() => findEndpoint({ env: { HOME: folder } })).toThrow('not a pod');
    file('token', 'abc');
    file('ca.crt', 'CA');
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    expect(inClusterEndpoint(env, folder)).toEqual({
      server: 'https://[fd00::1]:443',
      ca: 'CA',
      credentials: { kind: 'token-file', tokenFile: join(folder, 'token') },
    });
  });
});

describe('writing', () => {
  test('makes a file of mode 0600 and takes it away again', async () => {
    const path = join(folder, '.kube', 'config');
    expect(await addContext(path, mine, systemClock, never)).toBe('');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(endpointOf(readKubeconfig([path])).server).toBe(mine.server);
    expect(existsSync(`${path}.lock`)).toBe(false);
    await removeContext(path, mine, systemClock, never);
    expect(existsSync(path)).toBe(false);
  });

  test('leaves what others wrote as it was, and gives their context back', async () => {
    const theirs = `# my clusters
apiVersion: v1
kind: Config
clusters:
  - name: work # the real one
    cluster:
      server: https://work:6443
      extensions:
        - name: x
          extension: {a: 1}
contexts:
  - name: work
    context:
      cluster: work
      user: work
current-context: work
users:
  - name: work
    user:
      token: secret
`;
    const path = file('config', theirs);
    expect(await addContext(path, mine, systemClock, never)).toBe('work');
    await addContext(path, { ...mine, server: 'https://127.0.0.1:7443' }, systemClock, never);
    const config = readKubeconfig([path]);
    expect(config.clusters.map(({ name }) => name).sort()).toEqual(['coxswain', 'work']);
    expect(endpointOf(config).server).toBe('https://127.0.0.1:7443');
    await removeContext(path, { name: mine.name, restore: 'work' }, systemClock, never);
    expect(readFileSync(path, 'utf8')).toBe(theirs.replace('{a: 1}', '{ a: 1 }'));
  });

  test('a current context that is not ours stays', async () => {
    const path = file('config', kubeconfigText({ ...mine, name: 'other' }));
    await removeContext(path, { name: 'coxswain', restore: 'x' }, systemClock, never);
    expect(readKubeconfig([path]).currentContext).toBe('other');
  });

  test('a link stays a link', async () => {
    const real = file('real', kubeconfigText({ ...mine, name: 'other' }));
    const link = join(folder, 'link');
    symlinkSync(real, link);
    await addContext(link, mine, systemClock, never);
    expect(readlinkSync(link)).toBe(real);
    expect(readKubeconfig([real]).contexts).toHaveLength(2);
  });

  test('writers at the same time lose nothing', async () => {
    const path = join(folder, 'config');
    const names = Array.from({ length: 12 }, (_, at) => `c${at}`);
    await Promise.all(names.map((name) => addContext(path, { ...mine, name }, systemClock, never)));
    expect(
      readKubeconfig([path])
        .contexts.map(({ name }) => name)
        .sort(),
    ).toEqual(names.sort());
  });

  test('a lock that a dead process left is taken over', async () => {
    const path = join(folder, 'config');
    file('config.lock', '');
    utimesSync(`${path}.lock`, new Date(0), new Date(0));
    await addContext(path, mine, systemClock, never);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test('a broken file is refused and stays', async () => {
    const path = file('config', 'a: [b');
    await expect(addContext(path, mine, systemClock, never)).rejects.toThrow('cannot be read');
    expect(readFileSync(path, 'utf8')).toBe('a: [b');
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

function configWith(user: string): string {
  return `clusters: [{name: c, cluster: {server: "https://h:1"}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x`;
}
