// kubectls of many ages against one cluster: each does what it can do since ever.
import { describe, expect, test } from 'vitest';
import { allKubectls } from '#test/testbed/kubectl.ts';
import { deploymentManifest } from '#test/e2e/manifests.ts';
import { useCluster } from '#test/e2e/use-cluster.ts';

const cluster = useCluster();
const wanted = ['1.20', '1.27', '1.30', '1.33'];
const found = allKubectls();
const some = found.filter(({ version }) => wanted.includes(version));
const chosen = some.length > 0 ? some : found;

test('there is a kubectl to test with', () => expect(chosen.length).toBeGreaterThan(0));

describe.each(chosen.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const name = `v${version.replace('.', '-')}`;
  const run = (args: string, input?: object): Promise<string> =>
    cluster().kubectl(args, { kubectl, ...(input === undefined ? {} : { input: JSON.stringify(input) }) });

  test('creates, reads, changes, looks inside and deletes', async () => {
    const manifest = deploymentManifest(name, 1);
    expect(await run('create -f -', manifest)).toBe(`deployment.apps/${name} created\n`);
    await run(`rollout status deployment/${name} --timeout=60s`);
    expect(await run(`get deployment ${name}`)).toMatch(new RegExp(`^${name} +1/1 +1 +1 +\\d+s$`, 'm'));
    const pod = (await run(`get pods -l app=${name} -o jsonpath={.items[0].metadata.name}`)).trim();
    expect(await run(`describe deployment ${name}`)).toMatch(/Available +True[\s\S]+ScalingReplicaSet/);
    expect(await run(`describe pod ${pod}`)).toMatch(/Status: +Running/);
    expect(await run(`logs ${pod}`)).toContain('hello listens on port 8080\n');
    expect(await run(`exec ${pod} -- hostname`)).toBe(`${pod}\n`);
    const { code } = await cluster().tryKubectl(['exec', pod, '--', 'sh', '-c', 'exit 6'], { kubectl });
    expect(code).toBe(6);
    expect(await run('explain deployment.spec.replicas')).toMatch(/integer/);

    const applied = `apply-${name}`;
    expect(await run('apply -f -', deploymentManifest(applied, 1))).toBe(`deployment.apps/${applied} created\n`);
    expect(await run('apply -f -', deploymentManifest(applied, 2))).toBe(`deployment.apps/${applied} configured\n`);
    expect(await run(`get deployment ${applied} -o jsonpath={.spec.replicas}`)).toBe('2');
    expect(await run('apply --server-side --force-conflicts -f -', deploymentManifest(applied, 1))).toBe(
      `deployment.apps/${applied} serverside-applied\n`,
    );
    expect(await run(`scale deployment ${applied} --replicas=0`)).toBe(`deployment.apps/${applied} scaled\n`);
    expect(await run(`label deployment ${applied} age=old`)).toBe(`deployment.apps/${applied} labeled\n`);
    expect(await run('get deployments -l age=old -o name')).toBe(`deployment.apps/${applied}\n`);
    expect(await run('api-resources -o name')).toContain('deployments.apps');
    expect(await run(`delete deployment ${name} ${applied}`)).toContain(`deployment.apps "${name}" deleted`);
  });

  test('refuses what does not belong into a manifest', async () => {
    const wrong = { ...deploymentManifest('wrong', 1), unheardOf: true };
    const { code, stderr } = await cluster().tryKubectl('create -f -', { kubectl, input: JSON.stringify(wrong) });
    expect(code).toBe(1);
    expect(stderr).toContain('unknown field');
  });
});
