// What Kubernetes requires of volumes on a node: modes, owners, paths, what changes while a pod runs.
import { describe, expect, test } from 'vitest';
import { busybox, podManifest } from '../manifests.ts';
import { useCluster } from '../use-cluster.ts';
import { containerOf, inside, podOf, runReady, runToEnd, script } from './pod-run.ts';

const cluster = useCluster();
const kubectl = (words: string): Promise<string> => cluster().kubectl(words);

/** The output of a script in a pod that has the volume at /v. */
async function look(
  name: string,
  volume: object,
  text: string,
  spec: { mount?: object; pod?: object; container?: object } = {},
): Promise<string> {
  const { log, pod } = await runToEnd(cluster(), name, {
    ...spec.pod,
    containers: [script(text, { volumeMounts: [{ name: 'v', mountPath: '/v', ...spec.mount }], ...spec.container })],
    volumes: [{ name: 'v', ...volume }],
  });
  expect(pod.status?.phase, log).toBe('Succeeded');
  return log;
}

describe.concurrent('ConfigMaps and Secrets', () => {
  const data = { binaryData: { bytes: Buffer.from([0xff, 0xfe, 0]).toString('base64') }, data: { 'key-1': 'value-1', 'key-2': 'value-2' } };
  const make = async (name: string): Promise<void> => {
    await cluster().apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...data });
    await cluster().apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data.data });
  };
  const kinds: [kind: string, volume: (name: string, rest?: { items?: object[]; defaultMode?: number }) => object][] = [
    ['configmap', (name, rest) => ({ configMap: { name, ...rest } })],
    ['secret', (name, rest) => ({ secret: { secretName: name, ...rest } })],
    [
      'projected-configmap',
      (name, { defaultMode, ...rest } = {}) => ({ projected: { defaultMode, sources: [{ configMap: { name, ...rest } }] } }),
    ],
    [
      'projected-secret',
      (name, { defaultMode, ...rest } = {}) => ({ projected: { defaultMode, sources: [{ secret: { name, ...rest } }] } }),
    ],
  ];

  test.each(kinds)('%s: modes, paths and users', async (kind, volume) => {
    const name = `${kind}-modes`;
    await make(name);
    const show = (path: string): string => `stat -L -c '%A %g' ${path}; cat ${path}`;
    const items = [{ key: 'key-2', path: 'path/to/data-2' }];
    expect(await look(`${name}-plain`, volume(name), show('/v/key-1'))).toBe('-rw-r--r-- 0\nvalue-1');
    expect(await look(`${name}-0400`, volume(name, { defaultMode: 0o400 }), show('/v/key-1'))).toBe('-r-------- 0\nvalue-1');
    expect(await look(`${name}-mapped`, volume(name, { items }), `${show('/v/path/to/data-2')}; ls /v`)).toBe(
      '-rw-r--r-- 0\nvalue-2path\n',
    );
    const moded = [{ key: 'key-2', path: 'data-2', mode: 0o400 }];
    expect(await look(`${name}-item`, volume(name, { items: moded }), show('/v/data-2'))).toBe('-r-------- 0\nvalue-2');
    const user = { pod: { securityContext: { runAsUser: 1000 } } };
    expect(await look(`${name}-user`, volume(name, { items }), show('/v/path/to/data-2'), user)).toBe('-rw-r--r-- 0\nvalue-2');
    const group = { pod: { securityContext: { runAsUser: 1000, fsGroup: 1001 } } };
    expect(await look(`${name}-group`, volume(name, { defaultMode: 0o440 }), show('/v/key-1'), group)).toBe('-r--r----- 1001\nvalue-1');
  });

  test.each(kinds)('%s: twice in a pod, and only that of its own namespace', async (kind, volume) => {
    const name = `${kind}-twice`;
    await make(name);
    await kubectl(`create namespace ${name}`);
    for (const other of ['configmap', 'secret generic']) await kubectl(`create ${other} ${name} -n ${name} --from-literal=key-1=other`);
    const { log } = await runToEnd(cluster(), name, {
      containers: [script('cat /a/key-1 /b/key-2', { volumeMounts: ['a', 'b'].map((one) => ({ name: one, mountPath: `/${one}` })) })],
      volumes: ['a', 'b'].map((one) => ({ name: one, ...volume(name) })),
    });
    expect(log).toBe('value-1value-2');
  });

  test('binary data', async () => {
    await make('bytes');
    expect(await look('bytes', { configMap: { name: 'bytes' } }, 'od -An -tx1 /v/bytes')).toBe(' ff fe 00\n');
  });

  test.each(kinds)('%s: what is created, changed and deleted reaches a running pod', async (kind, volume) => {
    const names = ['create', 'update', 'delete'].map((verb) => `${kind}-${verb}`);
    const [created = '', updated = '', deleted = ''] = names;
    await make(updated);
    await make(deleted);
    const optional = (name: string): object => {
      const spec = volume(name) as { projected?: { sources: object[] } };
      const mark = (source: object): object =>
        Object.fromEntries(Object.entries(source).map(([key, value]) => [key, { ...(value as object), optional: true }]));
      return spec.projected === undefined ? mark(spec) : { projected: { sources: spec.projected.sources.map(mark) } };
    };
    await runReady(cluster(), `${kind}-changes`, {
      containers: [busybox('main', { volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })) })],
      volumes: names.map((name) => ({ name, ...optional(name) })),
    });
    const read = (path: string): Promise<string> => inside(cluster(), `${kind}-changes`, `cat /${path} 2>&1 || true`);
    expect(await read(`${created}/key-1`)).toContain('No such file');
    expect(await read(`${deleted}/key-1`)).toBe('value-1');
    await make(created);
    const plain = kind.replace('projected-', '');
    const change = plain === 'secret' ? { stringData: { 'key-1': 'changed' } } : { data: { 'key-1': 'changed', 'key-2': null } };
    await cluster().kubectl(['patch', plain, updated, '-p', JSON.stringify(change)]);
    await kubectl(`delete ${plain} ${deleted}`);
    await cluster().until(
      'all three are seen',
      async () =>
        (await read(`${created}/key-1`)) === 'value-1' &&
        (await read(`${updated}/key-1`)) === 'changed' &&
        (await read(`${deleted}/key-1`)).includes('No such file'),
      120_000,
    );
    if (plain === 'configmap') expect(await read(`${updated}/key-2`)).toContain('No such file');
  });

  test('fifty ConfigMaps in each of five pods', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `racey-${at}`);
    await cluster().apply({
      apiVersion: 'v1',
      kind: 'List',
      items: names.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: name } })),
    });
    const volumes = names.map((name) => ({ name, configMap: { name } }));
    const volumeMounts = names.map((name) => ({ name, mountPath: `/etc/config-${name}` }));
    await Promise.all(
      Array.from({ length: 5 }, async (_, at) => {
        await runReady(cluster(), `racey-${at}`, { containers: [busybox('main', { volumeMounts })], volumes });
        expect(await inside(cluster(), `racey-${at}`, 'cat /etc/config-racey-*/key | wc -c')).toBe(`${names.join('').length}\n`);
      }),
    );
  });
});

describe.concurrent('facts about the pod as files', () => {
  const amount = (path: string, resource: string): object => ({ path, resourceFieldRef: { containerName: 'main', resource } });
  const items = [
    { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'private', fieldRef: { fieldPath: 'metadata.name' }, mode: 0o400 },
    amount('cpu-limit', 'limits.cpu'),
    amount('cpu-request', 'requests.cpu'),
    amount('memory-limit', 'limits.memory'),
    amount('memory-request', 'requests.memory'),
  ];
  const kinds: [kind: string, volume: (defaultMode?: number) => object][] = [
    ['downward', (defaultMode) => ({ downwardAPI: { items, defaultMode } })],
    ['projected-downward', (defaultMode) => ({ projected: { defaultMode, sources: [{ downwardAPI: { items } }] } })],
  ];
  const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } };

  test.each(kinds)('%s', async (kind, volume) => {
    const text =
      'cd /v; for f in name cpu-limit cpu-request memory-limit memory-request; do echo $(cat $f); done; stat -L -c %A name private';
    const given = await look(`${kind}-given`, volume(), text, { container: { resources } });
    expect(given).toBe(`${kind}-given\n2\n1\n67108864\n33554432\n-rw-r--r--\n-r--------\n`);
    expect(await look(`${kind}-0400`, volume(0o400), 'stat -L -c %A /v/name')).toBe('-r--------\n');
    const { allocatable } = (await cluster().get<{ status: { allocatable: Record<string, string> } }>('node host1')).status;
    const memory = Number.parseInt(allocatable['memory'] ?? '', 10) * 1024;
    expect(await look(`${kind}-bare`, volume(), 'cat /v/memory-limit; echo; cat /v/cpu-limit')).toBe(`${memory}\n${allocatable['cpu']}`);
  });

  test.each(kinds)('%s: labels that change', async (kind, volume) => {
    await runReady(cluster(), `${kind}-labels`, {
      containers: [busybox('main', { volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
      volumes: [{ name: 'v', ...volume() }],
    });
    await kubectl(`label pod ${kind}-labels colour=blue`);
    await cluster().until(
      'it is seen',
      async () => (await inside(cluster(), `${kind}-labels`, 'cat /v/labels')).includes('colour="blue"'),
      120_000,
    );
  });
});

describe.concurrent('emptyDir', () => {
  const media: [medium: string, volume: object, type: string][] = [
    ['disk', { emptyDir: {} }, ''],
    ['memory', { emptyDir: { medium: 'Memory' } }, 'tmpfs'],
  ];
  test.each(media)('%s: anybody may write, with any mode', async (medium, volume, type) => {
    const file = (mode: string): string =>
      `umask 0; touch /v/f; chmod ${mode} /v/f; echo data >/v/f; cat /v/f; stat -c %A /v/f /v; grep " /v " /proc/mounts | cut -d" " -f3`;
    for (const [mode, shown] of [
      ['644', '-rw-r--r--'],
      ['666', '-rw-rw-rw-'],
      ['777', '-rwxrwxrwx'],
    ] as const) {
      for (const user of [0, 1001]) {
        const log = await look(`${medium}-${mode}-${user}`, volume, file(mode), { pod: { securityContext: { runAsUser: user } } });
        expect(log).toMatch(new RegExp(`^data\\n${shown}\\ndrwxrwxrw[xt]\\n${type}`));
      }
    }
    const group = await look(`${medium}-group`, volume, 'touch /v/f; stat -c "%A %g" /v; stat -c %g /v/f', {
      pod: { securityContext: { runAsUser: 1001, fsGroup: 123 } },
    });
    expect(group).toMatch(/^drwxrws?rw[sx][xt]? 123\n123\n$|^drwxrwsrw[xt] 123\n123\n$/);
  });
});

describe.concurrent('parts of volumes', () => {
  test('a file or folder of each kind', async () => {
    await kubectl('create configmap parts --from-literal=key=from-map');
    await kubectl('create secret generic parts --from-literal=key=from-secret');
    const facts = { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] };
    const { log } = await runToEnd(cluster(), 'parts', {
      containers: [
        script('cat /map /secret /facts/name /all /etc/passwd', {
          volumeMounts: [
            { name: 'map', mountPath: '/map', subPath: 'key' },
            { name: 'map', mountPath: '/etc/passwd', subPath: 'key' },
            { name: 'secret', mountPath: '/secret', subPath: 'key' },
            { name: 'facts', mountPath: '/facts/name', subPath: 'name' },
            { name: 'all', mountPath: '/all', subPath: 'deep/key' },
          ],
        }),
      ],
      volumes: [
        { name: 'map', configMap: { name: 'parts' } },
        { name: 'secret', secret: { secretName: 'parts' } },
        { name: 'facts', downwardAPI: facts },
        { name: 'all', projected: { sources: [{ configMap: { name: 'parts', items: [{ key: 'key', path: 'deep/key' }] } }] } },
      ],
    });
    expect(log).toBe('from-mapfrom-secretpartsfrom-mapfrom-map');
  });

  test('a path made of variables; one that leaves the volume is refused until the variable changes', async () => {
    const env = [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
    const text = 'touch /part/here; ls -d /v/*';
    const mounts = [
      { name: 'v', mountPath: '/part', subPathExpr: '$(POD_NAME)/logs' },
      { name: 'v', mountPath: '/v' },
    ];
    const volumes = [{ name: 'v', emptyDir: {} }];
    const { log } = await runToEnd(cluster(), 'expressed', { containers: [script(text, { env, volumeMounts: mounts })], volumes });
    expect(log).toBe('/v/expressed\n');

    const note = [{ name: 'PART', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['part']" } } }];
    const part = [{ name: 'v', mountPath: '/part', subPathExpr: '$(PART)' }];
    const misled = { misled: '/absolute', 'misled-up': '..' };
    for (const [name, path] of Object.entries(misled)) {
      const containers = [busybox('main', { env: note, volumeMounts: part })];
      await cluster().apply(podManifest(name, { metadata: { name, annotations: { part: path } }, containers, volumes }));
    }
    const reason = async (name: string): Promise<string | undefined> =>
      (await podOf(cluster(), name)).status?.containerStatuses?.[0]?.state?.waiting?.reason;
    for (const name of Object.keys(misled))
      await cluster().until(`${name} is refused`, async () => (await reason(name)) === 'CreateContainerConfigError');
    await kubectl('annotate pod misled --overwrite part=relative');
    await kubectl('wait pod/misled --for=condition=Ready --timeout=120s');
  });
});

describe.concurrent('hostPath', () => {
  test('of no type: a folder is made where nothing is', async () => {
    expect(await look('host-made', { hostPath: { path: '/srv/made/of/nothing' } }, 'touch /v/f && ls /v')).toBe('f\n');
    expect(await cluster().host.sh('ls /srv/made/of/nothing')).toBe('f\n');
  });

  test('of every type: what is there is checked, what may be is made', async () => {
    await cluster().host.sh('mkdir -p /srv/types/folder && cd /srv/types && touch file && mknod char c 1 3 && mknod block b 7 0');
    const rows: [path: string, type: string, seen: string][] = [
      ['/srv/types/folder', 'Directory', 'directory'],
      ['/srv/types/file', 'File', 'regular empty file'],
      ['/run/docker.sock', 'Socket', 'socket'],
      ['/srv/types/char', 'CharDevice', 'character special file'],
      ['/srv/types/block', 'BlockDevice', 'block special file'],
      ['/srv/types/new-file', 'FileOrCreate', 'regular empty file'],
      ['/srv/types/new-folder', 'DirectoryOrCreate', 'directory'],
    ];
    const { log } = await runToEnd(cluster(), 'host-types', {
      containers: [script('stat -c %F /v/*', { volumeMounts: rows.map((_, index) => ({ name: `v${index}`, mountPath: `/v/${index}` })) })],
      volumes: rows.map(([path, type], index) => ({ name: `v${index}`, hostPath: { path, type } })),
    });
    expect(log.trim().split('\n')).toEqual(rows.map(([, , seen]) => seen));
    const volumes = [{ name: 'v', hostPath: { path: '/srv/types/file', type: 'Directory' } }];
    await cluster().apply(podManifest('host-not', { volumes }));
    const events = (): Promise<string> => kubectl('get events --field-selector involvedObject.name=host-not,reason=FailedMount');
    await cluster().until('the reason', async () =>
      (await events()).includes('hostPath type check failed: /srv/types/file is not a directory'),
    );
  });

  test('a read-only mount leaves what is mounted below it writable, unless it says otherwise', async () => {
    await cluster().host.sh('mkdir -p /srv/outer/inner && mount -t tmpfs inner /srv/outer/inner');
    const volume = { hostPath: { path: '/srv/outer' } };
    const text = 'touch /v/f 2>/dev/null && echo outer; touch /v/inner/f 2>/dev/null && echo inner; true';
    expect(await look('rro-default', volume, text, { mount: { readOnly: true } })).toBe('inner\n');
    const mount = { readOnly: true, recursiveReadOnly: 'Enabled' };
    expect(await look('rro-enabled', volume, text, { mount })).toBe('');
    expect((await podOf(cluster(), 'rro-enabled')).status?.containerStatuses?.[0]?.volumeMounts?.[0]).toEqual({
      name: 'v',
      mountPath: '/v',
      ...mount,
    });
  });

  test('mounts travel between the host and containers as the pod says', async () => {
    await cluster().host.sh(
      'mkdir -p /srv/travel && mount -t tmpfs travel /srv/travel && mount --make-shared /srv/travel && mkdir /srv/travel/a /srv/travel/b',
    );
    const mount = (mountPropagation: string): object => ({ volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation }] });
    await runReady(cluster(), 'travels', {
      containers: [
        busybox('main', { ...mount('Bidirectional'), securityContext: { privileged: true } }),
        busybox('slave', mount('HostToContainer')),
        busybox('private', mount('None')),
      ],
      volumes: [{ name: 'v', hostPath: { path: '/srv/travel' } }],
    });
    await cluster().host.sh('mount -t tmpfs a /srv/travel/a && touch /srv/travel/a/host');
    await inside(cluster(), 'travels', 'mount -t tmpfs b /v/b && touch /v/b/pod');
    const seen = (container: string): Promise<string> => inside(cluster(), 'travels', 'cd /v; ls a b | tr "\\n" " "', container);
    expect(await seen('main')).toBe('a: host  b: pod ');
    expect(await seen('slave')).toBe('a: host  b: pod ');
    expect(await seen('private')).toBe('a:  b: ');
    expect(await cluster().host.sh('ls /srv/travel/b')).toBe('pod\n');
    await cluster().host.sh('umount /srv/travel/b /srv/travel/a');
  });
});

test.concurrent('what a container says at its end may lie in a mount that travels, and holds up no end of its pod', async () => {
  const mount = { name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' };
  const rest = { terminationMessagePath: '/v/last', securityContext: { privileged: true }, volumeMounts: [mount] };
  const spec = { containers: [script('echo last words >/v/last', rest)], volumes: [{ name: 'v', emptyDir: {} }] };
  const { pod } = await runToEnd(cluster(), 'last-words', spec);
  expect(containerOf(pod).state?.terminated?.message).toBe('last words\n');
  await cluster().kubectl('delete pod last-words --timeout=60s');
  expect(await cluster().host.sh(`grep ${pod.metadata?.uid} /proc/mounts || true`)).toBe('');
});

describe.concurrent('images as volumes', () => {
  const flags = 'grep " /v " /proc/mounts | cut -d" " -f4 | tr , "\\n" | grep -E "^(ro|noexec)$"; true';

  test('the files are there, and can neither be changed nor run', async () => {
    const volume = { image: { reference: 'coxswain/hello:1', pullPolicy: 'Always' } };
    const log = await look('image', volume, `head -n 1 /v/hello.mjs; touch /v/f 2>&1; /v/bin/busybox true 2>&1; ${flags}`);
    expect(log).toBe(
      "// The demo image's server: says who it is, over HTTP on port 8080.\ntouch: /v/f: Read-only file system\nsh: /v/bin/busybox: Permission denied\nro\nnoexec\n",
    );
    expect(await look('image-part', volume, 'ls /v', { mount: { subPath: 'usr/local' } })).toBe('bin\n');
  });

  test('of several layers, the upper hide the lower; nothing stays mounted when the pods have ended', async () => {
    const lines = ['FROM coxswain/hello:1', 'RUN rm /hello.mjs && echo one >/layer', 'RUN echo two >/layer'];
    await cluster().host.sh(`docker build -q -t layers:1 - <<'END'\n${lines.join('\n')}\nEND`);
    const log = await look('image-layers', { image: { reference: 'layers:1' } }, `cat /v/layer; ls /v/hello.mjs 2>&1; ${flags}`);
    expect(log).toBe('two\nls: /v/hello.mjs: No such file or directory\nro\nnoexec\n');
    await cluster().until(
      'no image is mounted',
      async () => (await cluster().host.sh('grep -c kubernetes.io~image /proc/mounts || true')) === '0\n',
    );
  });
});
