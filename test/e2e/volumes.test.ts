// What pods read and share: environment, ConfigMaps, Secrets, tokens, emptyDir, hostPath, facts about themselves.
import { beforeAll, expect, test } from 'vitest';
import { busybox, podManifest } from './manifests.ts';
import { useCluster } from './use-cluster.ts';

const cluster = useCluster();

function read(pod: string, script: string, container = 'main'): Promise<string> {
  return cluster().kubectl(['exec', pod, '-c', container, '--', 'sh', '-c', script]);
}

async function runPod(name: string, spec: { [field: string]: unknown }): Promise<void> {
  await cluster().apply(podManifest(name, spec));
  await cluster().kubectl(`wait pod/${name} --for=condition=Ready --timeout=40s`);
}

beforeAll(async () => {
  await cluster().kubectl('create configmap settings --from-literal=colour=blue --from-literal=app.conf=a=1');
  await cluster().kubectl('create secret generic password --from-literal=user=admin --from-literal=word=s3cret');
});

test('environment from values, ConfigMaps, Secrets and the pod itself', async () => {
  const env = [
    { name: 'PLAIN', value: 'one' },
    { name: 'JOINED', value: '$(PLAIN)-$$(PLAIN)-$(NOT_SET)' },
    { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
    { name: 'WORD', valueFrom: { secretKeyRef: { name: 'password', key: 'word' } } },
    { name: 'ABSENT', valueFrom: { configMapKeyRef: { name: 'settings', key: 'absent', optional: true } } },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'CPU_LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
  ];
  const envFrom = [{ prefix: 'FROM_', secretRef: { name: 'password' } }];
  await runPod('env', { containers: [busybox('main', { env, envFrom, resources: { limits: { cpu: '250m' } } })] });
  const ip = await cluster().kubectl('get pod env -o jsonpath={.status.podIP}');
  const lines = (await read('env', 'env')).split('\n');
  for (const line of [
    'PLAIN=one',
    'JOINED=one-$(PLAIN)-$(NOT_SET)',
    'COLOUR=blue',
    'WORD=s3cret',
    'FROM_user=admin',
    'POD_NAME=env',
    'NODE_NAME=host1',
    `POD_IP=${ip}`,
    'CPU_LIMIT=250',
    'KUBERNETES_SERVICE_HOST=10.96.0.1',
    'KUBERNETES_SERVICE_PORT_HTTPS=443',
    'HOSTNAME=env',
  ])
    expect(lines).toContain(line);
  expect(lines.some((line) => line.startsWith('ABSENT='))).toBe(false);
});

test('ConfigMaps, Secrets and facts about the pod as files', async () => {
  const volumes = [
    { name: 'settings', configMap: { name: 'settings' } },
    { name: 'password', secret: { secretName: 'password', defaultMode: 0o400, items: [{ key: 'word', path: 'deep/word.txt' }] } },
    { name: 'facts', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      name: 'all',
      projected: {
        sources: [{ configMap: { name: 'settings', items: [{ key: 'colour', path: 'colour' }] } }, { secret: { name: 'password' } }],
      },
    },
  ];
  const volumeMounts = [
    { name: 'settings', mountPath: '/settings', readOnly: true },
    { name: 'password', mountPath: '/password' },
    { name: 'facts', mountPath: '/facts' },
    { name: 'all', mountPath: '/all' },
    { name: 'settings', mountPath: '/single/app.conf', subPath: 'app.conf' },
  ];
  await runPod('files', { containers: [busybox('main', { volumeMounts })], volumes });
  expect(await read('files', 'cat /settings/colour /settings/app.conf')).toBe('bluea=1');
  expect(await read('files', 'cat /password/deep/word.txt; stat -L -c " %a" /password/deep/word.txt')).toBe('s3cret 400\n');
  expect(await read('files', 'cat /facts/labels')).toBe('app="files"');
  expect(await read('files', 'cd /all; for f in *; do echo $f=$(cat $f); done')).toBe('colour=blue\nuser=admin\nword=s3cret\n');
  expect(await read('files', 'cat /single/app.conf')).toBe('a=1');
  expect(await read('files', 'touch /settings/x 2>&1 || true')).toContain('Read-only file system');
});

test('the service account token of a pod works against the API server', async () => {
  await runPod('token', {});
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  expect(await read('token', `cat ${folder}/namespace`)).toBe('default');
  expect(await read('token', `cat ${folder}/ca.crt`)).toContain('BEGIN CERTIFICATE');
  const token = await read('token', `cat ${folder}/token`);
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  expect(claims).toMatchObject({ iss: 'https://kubernetes.default.svc.cluster.local', sub: 'system:serviceaccount:default:default' });
  expect(claims['kubernetes.io']).toMatchObject({ namespace: 'default', pod: { name: 'token' } });
  const ask = (path: string, header = ''): Promise<string> =>
    cluster().host.sh(`curl -sSk ${header} -o /dev/null -w '%{http_code}' https://10.96.0.1${path}`);
  expect(await ask('/api', `-H "Authorization: Bearer ${token}"`)).toBe('200');
  // Known, but without rights.
  expect(await ask('/api/v1/secrets', `-H "Authorization: Bearer ${token}"`)).toBe('403');
  expect(await ask('/api/v1/secrets', '-H "Authorization: Bearer not.a.token"')).toBe('401');
});

test('containers of a pod share an emptyDir, their network and nothing else', async () => {
  const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
  await runPod('pair', {
    containers: [
      busybox('main', {
        volumeMounts,
        command: ['sh', '-c', 'echo hello >/shared/note; echo page >/shared/index.html; httpd -f -p 8080 -h /shared'],
      }),
      busybox('other', { volumeMounts }),
    ],
    volumes: [
      { name: 'shared', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
    ],
  });
  expect(await read('pair', 'cat /shared/note', 'other')).toBe('hello\n');
  expect(await read('pair', 'timeout 5 wget -qO- http://127.0.0.1:8080/', 'other')).toBe('page\n');
  expect(await read('pair', 'hostname', 'main')).toBe(await read('pair', 'hostname', 'other'));
  expect(await read('pair', 'touch /tmp/mine', 'main')).toBe('');
  expect(await read('pair', 'ls /tmp', 'other')).toBe('');
});

test('a hostPath shows a folder of the host', async () => {
  await cluster().host.sh('mkdir -p /srv/shown && echo from host >/srv/shown/note');
  await runPod('shows', {
    containers: [busybox('main', { volumeMounts: [{ name: 'host', mountPath: '/host' }] })],
    volumes: [{ name: 'host', hostPath: { path: '/srv/shown', type: 'Directory' } }],
  });
  expect(await read('shows', 'cat /host/note; echo from pod >/host/answer')).toBe('from host\n');
  expect(await cluster().host.sh('cat /srv/shown/answer')).toBe('from pod\n');
});

test('a pod waits for a ConfigMap that is not there yet', async () => {
  const volumeMounts = [{ name: 'late', mountPath: '/late' }];
  await cluster().apply(
    podManifest('waits', { containers: [busybox('main', { volumeMounts })], volumes: [{ name: 'late', configMap: { name: 'late' } }] }),
  );
  await cluster().until('it says why it waits', async () =>
    /FailedMount.+configmap "late" not found/.test(await cluster().kubectl('get events --field-selector involvedObject.name=waits')),
  );
  await cluster().kubectl('create configmap late --from-literal=key=value');
  await cluster().kubectl('wait pod/waits --for=condition=Ready --timeout=90s');
  expect(await read('waits', 'cat /late/key')).toBe('value');
});
