// Images from a registry that wants to know who asks: pull secrets, digests, refusals, and what has gone since.
import { beforeAll, expect, test } from 'vitest';
import type { V1Pod } from '#api/generated/types.ts';
import { type Background } from '../background.ts';
import { busybox, podManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { containerOf, podOf, runReady } from './pod-run.ts';

const cluster = useCluster();
const registry = '127.0.0.1:5000';
const app = `${registry}/team/app`;
/** `ann` with the word `s3cret`, as htpasswd writes it. */
const account = 'ann:$2b$04$3dzAqda2sfZR/96iclKg.uKqD9WDPJyYsLmHGz0uq//SasO20oKje';
const config = {
  version: 0.1,
  storage: { filesystem: { rootdirectory: '/var/lib/registry' } },
  http: { addr: registry },
  auth: { htpasswd: { realm: 'test', path: '/etc/registry.accounts' } },
};
const keys = ['--docker-username=ann', '--docker-password=s3cret'];
let server: Background;

const waits = (pod: V1Pod): string | undefined => containerOf(pod).state?.waiting?.reason;
const events = (name: string): Promise<string> => cluster().kubectl(`get events --field-selector involvedObject.name=${name}`);

async function push(image: string, text: string): Promise<void> {
  await cluster().host.sh(`export DOCKER_CONFIG=/root/registry-login
    docker login -u ann -p s3cret ${registry} 2>/dev/null
    printf 'FROM coxswain/busybox:1\\nRUN echo ${text} >/word\\n' | docker build -q -t ${image} -
    docker push -q ${image} && docker rmi ${image}`);
}

async function whyNot(name: string, image: string): Promise<string> {
  await cluster().apply(podManifest(name, { containers: [busybox('main', { image })] }));
  let message = '';
  await cluster().until('it says why', async () => {
    const { reason, message: words = '' } = containerOf(await podOf(cluster(), name)).state?.waiting ?? {};
    if (reason === 'ErrImagePull') message = words;
    return reason === 'ImagePullBackOff' && `${message}${words}`;
  });
  return `${message}\n${await events(name)}`;
}

beforeAll(async () => {
  await cluster().host.sh(`echo '${account}' >/etc/registry.accounts; echo '${JSON.stringify(config)}' >/etc/registry.json`);
  server = cluster().run(['docker-registry', 'serve', '/etc/registry.json']);
  await cluster().until(
    'the registry',
    async () => (await cluster().curl(`http://${registry}/v2/`, '-o /dev/null -w %{http_code}')) === '401',
  );
  await push(`${app}:1`, 'one');
  await cluster().kubectl(['create', 'secret', 'docker-registry', 'pull', `--docker-server=${registry}`, ...keys]);
});

test('without a secret, or with the wrong word, the registry’s refusal is told, and tries become rarer', async () => {
  expect(await whyNot('nobody', `${app}:1`)).toMatch(
    /no basic auth credentials[\s\S]+Warning +Failed +pod\/nobody +Error: ImagePullBackOff/,
  );
  await cluster().kubectl([
    'create',
    'secret',
    'docker-registry',
    'wrong',
    `--docker-server=${registry}`,
    '--docker-username=ann',
    '--docker-password=no',
  ]);
  await cluster().apply(
    podManifest('wrong', { imagePullSecrets: [{ name: 'wrong' }], containers: [busybox('main', { image: `${app}:1` })] }),
  );
  await cluster().until('it is refused', async () => /Image(PullBackOff)|ErrImagePull/.test(waits(await podOf(cluster(), 'wrong')) ?? ''));
  await cluster().kubectl('delete pod nobody wrong');
});

test('with the pod’s secret, by tag and by digest', async () => {
  const imagePullSecrets = [{ name: 'pull' }];
  const pod = await runReady(cluster(), 'tagged', { imagePullSecrets, containers: [busybox('main', { image: `${app}:1` })] });
  expect(await cluster().kubectl('exec tagged -- cat /word')).toBe('one\n');
  expect(await events('tagged')).toMatch(
    /Successfully pulled image "127\.0\.0\.1:5000\/team\/app:1" in .+ \(.+ including waiting\)\. Image size: \d+ bytes\./,
  );
  const { imageID } = containerOf(pod);
  expect(imageID).toMatch(/^(docker-pullable:\/\/)?127\.0\.0\.1:5000\/team\/app@sha256:[0-9a-f]{64}$/);
  const image = imageID.replace('docker-pullable://', '');
  const same = await runReady(cluster(), 'digested', { imagePullSecrets, containers: [busybox('main', { image })] });
  expect([containerOf(same).image, containerOf(same).imageID]).toEqual([image, imageID]);
  expect(await whyNot('unknown', `${app}@sha256:${'0'.repeat(64)}`)).toMatch(/manifest unknown|no basic auth|not found/);
  // That it is on the node opens it to nobody who does not show the secret, neither by its tag nor by its digest.
  expect(await whyNot('stranger', `${app}:1`)).toContain('no basic auth credentials');
  expect(await whyNot('stranger-too', image)).toMatch(/no basic auth credentials|unauthorized/);
  await cluster().kubectl('delete pod tagged digested unknown stranger stranger-too');
});

test('with the secret of its service account; what the registry has newly is what Always runs', async () => {
  await cluster().kubectl(['patch', 'serviceaccount', 'default', '-p', '{"imagePullSecrets":[{"name":"pull"}]}']);
  const containers = [busybox('main', { image: `${app}:1`, imagePullPolicy: 'Always' })];
  await runReady(cluster(), 'old', { containers });
  expect(await cluster().kubectl('exec old -- cat /word')).toBe('one\n');
  await push(`${app}:1`, 'two');
  await runReady(cluster(), 'new', { containers });
  expect(await cluster().kubectl('exec new -- cat /word')).toBe('two\n');
  expect(await whyNot('absent', `${app}:9`)).toContain('manifest unknown');
  await cluster().kubectl('delete pod old new absent');
});

test('an image that somebody removed is pulled again', async () => {
  const containers = [busybox('main', { image: `${app}:1`, imagePullPolicy: 'IfNotPresent' })];
  await runReady(cluster(), 'first', { containers });
  await cluster().kubectl('delete pod first');
  await cluster().host.sh(`docker rmi -f ${app}:1`);
  await runReady(cluster(), 'again', { containers });
  expect(await events('again')).toContain('Successfully pulled image');
  await cluster().kubectl('delete pod again');
});

test('without the registry, what the host has runs, also under Always, and says so', async () => {
  const [digest = ''] = JSON.parse(await cluster().host.sh(`docker inspect -f '{{json .RepoDigests}}' ${app}:1`)) as string[];
  await server[Symbol.asyncDispose]();
  await runReady(cluster(), 'pulled-before', { containers: [busybox('main', { image: digest, imagePullPolicy: 'Always' })] });
  expect(await events('pulled-before')).toMatch(/already present on machine .+its registry could not be reached: .+connection refused/);
  await cluster().host.sh(`docker tag coxswain/busybox:1 ${app}`);
  await runReady(cluster(), 'built-here', { containers: [busybox('main', { image: app })] });
  expect((await podOf(cluster(), 'built-here')).spec?.containers[0]?.imagePullPolicy).toBe('Always');
  expect(await events('built-here')).toMatch(/already present on machine .+its registry could not be reached: .+connection refused/);
});
