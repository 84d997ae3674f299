// The command line that scripts rely on: exit codes, one clear sentence for each refusal, nothing half done.
import { afterEach, beforeAll, afterAll, describe, expect, test } from 'vitest';
import { Host } from '#test/testbed/host.ts';
import { LocalCluster } from './cluster.ts';

describe('where nothing runs', () => {
  let cluster: LocalCluster;
  const coxswain = (...args: string[]): ReturnType<LocalCluster['coxswain']> => cluster.coxswain(args);
  beforeAll(async () => {
    cluster = new LocalCluster(await Host.start());
  });
  afterAll(async () => cluster?.stop());
  afterEach(async () => {
    await cluster.host.exec(['bash', '-c', 'umount /mnt/small; umount /mnt/fixed; true']);
  });

  const traces = async (): Promise<string> =>
    cluster.host.sh(
      'ls -d /var/lib/coxswain /run/coxswain /root/.kube 2>/dev/null || true; ps ax -o args | grep -c "[k]ube-apiserver.js" || true',
    );

  test.each([
    ['--help', /Usage:\n +coxswain up/],
    ['up --help', /--port[\s\S]+--wait/],
    ['down --help', /--wipe/],
    ['status --help', /--data-dir/],
    ['test --help', /Usage:\n +coxswain test/],
    ['bench --help', /Usage: coxswain bench/],
    ['version', /^Coxswain v1\.36\.2\+coxswain\.\d+\n$/],
  ])('%s', async (args, output) => {
    const { code, stdout } = await coxswain(...args.split(' '));
    expect(code).toBe(0);
    expect(stdout).toMatch(output);
  });

  test.each([
    ['', 'a command is needed'],
    ['fly', 'unknown command "fly"'],
    ['up --fast', '--fast'],
    ['up --port=0', '--port'],
    ['up --port=many', '--port'],
    ['up --wait=soon', '--wait'],
    ['up --name=Not_Valid', '--name'],
    ['up now', 'unexpected argument "now"'],
    ['down --wait=1s', '--wait'],
  ])('wrong usage: %s', async (args, words) => {
    const { code, stderr } = await coxswain(...args.split(' ').filter((part) => part !== ''));
    expect(stderr).toContain(words);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('every component explains its flags', async () => {
    for (const name of ['kube-apiserver', 'kube-scheduler', 'kube-controller-manager', 'kubelet', 'kube-proxy', 'coxswain-dns']) {
      const { code, stdout } = await cluster.host.exec([process.execPath, `${import.meta.dirname}/../../dist/${name}.js`, '--help']);
      expect(code, name).toBe(0);
      expect(stdout, name).toContain('--kubeconfig'.slice(0, name === 'kube-apiserver' ? 2 : undefined));
      const wrong = await cluster.host.exec([process.execPath, `${import.meta.dirname}/../../dist/${name}.js`, '--no-such-flag']);
      expect(wrong.code, name).toBe(2);
    }
  });

  test('status and down without a cluster', async () => {
    expect(await coxswain('status')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no cluster in /var/lib/coxswain'),
    });
    expect(await coxswain('down')).toMatchObject({ code: 0, stdout: 'There is no cluster in /var/lib/coxswain.\n' });
    expect(await coxswain('down', '--wipe')).toMatchObject({ code: 0 });
  });

  test('no Docker, and none can be started', async () => {
    await cluster.host.sh('mkdir -p /etc/docker && echo not json >/etc/docker/daemon.json');
    const { code, stderr } = await coxswain('up', '--wait=5s');
    await cluster.host.sh('rm /etc/docker/daemon.json');
    expect(code).toBe(3);
    expect(stderr).toMatch(/no Docker engine answers on \S+docker\.sock, and starting one failed: .*daemon\.json/);
    expect(await traces()).toBe('0\n');
  });

  test('a data folder that is read-only, full or no folder', async () => {
    await cluster.host.startDocker();
    await cluster.host.sh(
      'mkdir -p /mnt/small /mnt/fixed && mount -t tmpfs -o size=512k tmpfs /mnt/small && mount -t tmpfs -o ro tmpfs /mnt/fixed && touch /mnt/file',
    );
    const full = await coxswain('up', '--data-dir=/mnt/small/cluster');
    expect(full).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the disk of \/mnt\/small\/cluster is full|\/mnt\/small\/cluster: the disk is full/),
    });
    const fixed = await coxswain('up', '--data-dir=/mnt/fixed/cluster');
    expect(fixed).toMatchObject({ code: 1, stderr: expect.stringContaining('/mnt/fixed/cluster: the file system is read-only') });
    const file = await coxswain('up', '--data-dir=/mnt/file');
    expect(file).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot use the data folder /mnt/file') });
    expect(await traces()).toBe('0\n');
  });

  test('a taken port', async () => {
    await using taken = cluster.run([
      process.execPath,
      '-e',
      `require('node:net').createServer().listen(6443, () => console.log('taken'))`,
    ]);
    await taken.shows('taken');
    const { code, stderr } = await coxswain('up');
    expect(stderr).toContain('port 6443, which kube-apiserver needs, is taken by another process (choose another with --port)');
    expect(code).toBe(1);
    expect((await cluster.host.exec(['pgrep', '-f', 'kube-apiserver.js'])).stdout).toBe('');
  });

  test('time that is too short', async () => {
    const { code, stderr } = await coxswain('up', '--wait=1ms');
    expect(stderr).toMatch(/not reached within 0\.001 s/);
    expect(code).toBe(4);
    expect((await coxswain('down', '--wipe')).code).toBe(0);
  });
});

describe('a cluster comes and goes', () => {
  let cluster: LocalCluster;
  let before: string;
  const config = '/root/work/config';
  const env = { KUBECONFIG: config };
  const users = `apiVersion: v1
kind: Config
current-context: elsewhere
clusters: [{name: elsewhere, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: me, user: {token: abc}}]
contexts: [{name: elsewhere, context: {cluster: elsewhere, user: me}}]
`;
  /** Whatever a cluster could leave on a host. */
  const inventory = (): Promise<string> =>
    cluster.host.sh(`nft list tables; ip -o link | awk '{print $2}' | sed 's/@.*//' | sort; ip route; ip rule; mount | grep -v /var/lib/docker | awk '{print $3}' | sort
      docker ps -aq; docker images --format '{{.Repository}}:{{.Tag}}' | sort; ls /var/lib; ls /run | grep -vx containerd; ls /etc/cni /etc/cni/net.d /var/log 2>/dev/null | grep -v '^kubelet-' ; ls -a /root | grep -vx .kube; ip netns; ps ax -o args | grep '[d]ist/' || true`);

  beforeAll(async () => {
    cluster = new LocalCluster(await Host.start({ docker: true }));
    await cluster.host.sh(`mkdir -p /root/work && cat >${config}`, { input: users });
    before = await inventory();
  });
  afterAll(async () => cluster?.stop());

  test('up merges its context into the kubeconfig that KUBECONFIG names', async () => {
    const { code, stdout, stderr } = await cluster.coxswain(['up', '--demo', '--port=7443'], { env });
    expect(code, stderr).toBe(0);
    for (const step of ['programs are there', 'Docker engine answers', 'API server answers', 'node host1 is Ready', 'DNS answers'])
      expect(stderr).toContain(`✓ ${step}`);
    expect(stdout).toContain('Message: Hello from Coxswain');
    expect(stdout).toContain(config);
    expect(await cluster.kubectl('config get-contexts -o name', { env })).toBe('coxswain\nelsewhere\n');
    expect(await cluster.kubectl('config current-context', { env })).toBe('coxswain\n');
    expect(await cluster.host.sh(`stat -c %a ${config}; ls /root/.kube/config 2>/dev/null || true`)).toBe('600\n');
    expect(await cluster.kubectl('config view --minify -o jsonpath={.clusters[0].cluster.server}', { env })).toBe('https://127.0.0.1:7443');
    expect(await cluster.kubectl('get namespace hello -o name', { env })).toBe('namespace/hello\n');
  });

  test('up on a running cluster says so', async () => {
    const pids = await cluster.pids();
    const { code, stderr } = await cluster.coxswain(['up'], { env });
    expect(code).toBe(0);
    expect(stderr).toContain('cluster "coxswain" runs already');
    expect(await cluster.pids()).toEqual(pids);
  });

  test('a second cluster is refused', async () => {
    const { code, stderr } = await cluster.coxswain(['up', '--name=second', '--data-dir=/var/lib/second'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain(`cluster "coxswain" (data in /var/lib/coxswain) runs on this host already`);
    expect((await cluster.host.exec(['ls', '/var/lib/second'])).code).not.toBe(0);
    expect(await cluster.coxswain(['down', '--name=second'], { env })).toMatchObject({ code: 1 });
  });

  test('down stops everything, and up brings the same objects back', async () => {
    const uids = 'get deployments,services,configmaps,secrets,namespaces,nodes -A -o jsonpath={.items[*].metadata.uid}';
    const known = await cluster.kubectl(uids, { env });
    expect((await cluster.coxswain(['down'], { env })).code).toBe(0);
    expect(await cluster.host.sh('docker ps -q')).toBe('');
    expect(await cluster.pids()).toEqual({});
    expect((await cluster.coxswain(['status'])).code).toBe(1);
    const { code, stderr } = await cluster.coxswain(['up'], { env });
    expect(code, stderr).toBe(0);
    expect(await cluster.kubectl(uids, { env })).toBe(known);
    expect(await cluster.kubectl('config view --minify -o jsonpath={.clusters[0].cluster.server}', { env })).toBe('https://127.0.0.1:7443');
    await cluster.until('all containers run', async () => (await cluster.host.sh('docker ps -q | wc -l')).trim() === '6');
    await cluster.until('all pods are Ready', async () =>
      (await cluster.kubectl('-n hello get deployment hello', { env })).includes('3/3'),
    );
    expect((await cluster.coxswain(['status'])).code).toBe(0);
  });

  test('down --wipe leaves nothing', async () => {
    const { code, stdout } = await cluster.coxswain(['down', '--wipe'], { env });
    expect(stdout).toBe('Cluster "coxswain" is gone.\n');
    expect(code).toBe(0);
    expect(await cluster.kubectl('config get-contexts -o name', { env })).toBe('elsewhere\n');
    expect(await cluster.kubectl('config current-context', { env })).toBe('elsewhere\n');
    expect(await inventory()).toBe(before);
  });
});
