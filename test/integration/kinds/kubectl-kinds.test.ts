// Every kind in the hands of kubectl, the oldest and the newest that can be had: made, read in each form, described, explained, changed
// and deleted, with nobody acting on the objects.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { allKubectls } from '#test/testbed/kubectl.ts';
import { BareServer } from './bare-server.ts';
import { askedForElsewhere, described } from './described.ts';
import { type Sample, samples } from './samples.ts';

const clients = [...new Set([allKubectls().at(0), allKubectls().at(-1)])].flatMap((one) => (one === undefined ? [] : [one]));
const kindOf = ({ apiVersion, kind }: Sample): (typeof builtinKinds)[number] => {
  const found = builtinKinds.find((one) => apiVersionOf(one) === apiVersion && one.kind === kind);
  if (found === undefined) throw new Error(`${kind} of ${apiVersion} is not served`);
  return found;
};
/** `deployments.apps/sample`, as kubectl names what it changed, but for the plural. */
const lineOf = (sample: Sample, word: string): string => {
  const { group, names, kind } = kindOf(sample);
  return `${names.singular ?? kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${sample.metadata.name} ${word}`;
};
const argumentOf = (sample: Sample): string => {
  const { group, version, names } = kindOf(sample);
  return `${names.plural}${group === '' ? '' : `.${version}.${group}`}`;
};
const lines = (text: string): string[] => text.trim().split('\n');

test('there is a sample of every kind that can be made', () => {
  const makeable = builtinKinds.filter(
    ({ verbs, storedAs, notYet }) =>
      storedAs === undefined && notYet === undefined && (verbs === undefined || (verbs.includes('create') && verbs.includes('get'))),
  );
  const have = new Set(samples.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  expect(makeable.map((kind) => `${apiVersionOf(kind)} ${kind.kind}`).filter((name) => !have.has(name))).toEqual([]);
});

describe.each(clients.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const minor = Number(version.split('.')[1]);
  let bare: BareServer;
  let all: string;
  // Selectors of budgets are replaced, not merged, so kubectl always sends them; the oldest knows no CronJob of batch/v1.
  const sendsAnyway = new Set(minor < 21 ? ['CronJob'] : ['PodDisruptionBudget']);
  const list = (items: readonly Sample[]): object => ({ apiVersion: 'v1', kind: 'List', items });
  beforeAll(async () => {
    bare = await BareServer.start(kubectl);
    all = bare.file('all.json', list(samples));
    await bare.kubectl('create serviceaccount default');
  });
  afterAll(async () => bare?.[Symbol.asyncDispose]());

  test('makes all of them', async () => {
    expect(lines(await bare.kubectl(`create -f ${all}`))).toEqual(samples.map((sample) => lineOf(sample, 'created')));
    const again = await bare.tryKubectl(`create -f ${all}`);
    expect(again.stderr.match(/AlreadyExists/g)).toHaveLength(samples.length);
  });

  test.each(['wide', 'json', 'yaml', 'name', 'jsonpath={.items[*].metadata.name}', 'custom-columns=NAME:.metadata.name'])(
    'reads them as %s',
    async (form) => {
      const text = await bare.kubectl(['get', '-f', all, '-o', form]);
      for (const { metadata } of samples) expect(text).toContain(metadata.name);
    },
  );

  test('shows the columns of each, with labels, sorted', async () => {
    for (const sample of samples) {
      const text = await bare.kubectl(`get ${argumentOf(sample)} --show-labels -L purpose --sort-by=.metadata.name`);
      const [header = '', ...rows] = lines(text);
      const names = (kindOf(sample).columns ?? []).filter(({ priority = 0 }) => priority === 0).map(({ name }) => name.toUpperCase());
      expect(header.split(/ {2,}/).map((name) => name.trim())).toEqual([
        ...(names.length > 0 ? names : ['NAME', 'CREATED AT']),
        'PURPOSE',
        'LABELS',
      ]);
      expect(
        rows.some((row) => row.includes(sample.metadata.name)),
        text,
      ).toBe(true);
    }
  });

  test('describes each', async () => {
    const gone: string[] = [];
    for (const sample of samples) {
      const { kind, metadata } = sample;
      const { code, stdout, stderr } = await bare.tryKubectl(`describe ${argumentOf(sample)} ${metadata.name}`);
      if (code === 0) {
        expect(stdout, kind).toMatch(new RegExp(`^Name: +${metadata.name}$`, 'm'));
        expect(stdout, kind).toMatch(described[kind] ?? /what this kind says is not known/);
      } else {
        gone.push(kind);
        expect(stderr, kind).toBe('Error from server (NotFound): the server could not find the requested resource\n');
      }
    }
    expect(gone).toEqual(askedForElsewhere(minor));
  });

  test('explains each to the last field', async () => {
    for (const sample of samples) {
      const { names, kind } = kindOf(sample);
      const text = await bare.kubectl(`explain ${names.plural} --recursive --api-version=${sample.apiVersion}`);
      expect(text).toMatch(new RegExp(`^KIND: +${kind}$`, 'm'));
      expect(text).toMatch(/^DESCRIPTION:\n +\S/m);
      expect(text).toContain('managedFields');
    }
  });

  test('applies what it made, finds no difference, and applies on the server', async () => {
    const first = lines(await bare.kubectl(`apply -f ${all}`));
    expect(first).toEqual(samples.map((sample) => lineOf(sample, 'configured')));
    const revisions = (): Promise<string> => bare.kubectl(`get -f ${all} -o jsonpath={.items[*].metadata.resourceVersion}`);
    const applied = await revisions();
    const second = lines(await bare.kubectl(`apply -f ${all}`));
    expect(second).toEqual(samples.map((sample) => lineOf(sample, sendsAnyway.has(sample.kind) ? 'configured' : 'unchanged')));
    expect(await revisions()).toBe(applied);
    expect(await bare.tryKubectl(`diff -f ${all}`)).toMatchObject({ code: 0, stdout: '' });
    const served = samples.map((sample) => lineOf(sample, 'serverside-applied'));
    expect(lines(await bare.kubectl(`apply --server-side --force-conflicts -f ${all}`))).toEqual(served);
    const before = await revisions();
    expect(lines(await bare.kubectl(`apply --server-side -f ${all}`))).toEqual(served);
    expect(await revisions()).toBe(before);
  });

  test('labels, annotates, patches, edits and replaces them', async () => {
    expect(lines(await bare.kubectl(`label -f ${all} colour=red`))).toEqual(samples.map((sample) => lineOf(sample, 'labeled')));
    expect(lines(await bare.kubectl(`annotate -f ${all} note=one`))).toEqual(samples.map((sample) => lineOf(sample, 'annotated')));
    for (const type of ['merge', 'strategic']) {
      const patch = JSON.stringify({ metadata: { annotations: { note: type } } });
      await bare.kubectl(['patch', '-f', all, `--type=${type}`, '-p', patch]);
    }
    const patch = JSON.stringify([{ op: 'replace', path: '/metadata/annotations/note', value: 'json' }]);
    await bare.kubectl(['patch', '-f', all, '--type=json', '-p', patch]);
    const notes = await bare.kubectl(`get -f ${all} -o jsonpath={.items[*].metadata.annotations.note}`);
    expect(notes.split(' ')).toEqual(samples.map(() => 'json'));
    await bare.kubectl(`edit -f ${all}`, { KUBE_EDITOR: "sed -i 's/note: json/note: edited/'" });
    const edited = await bare.kubectl(`get -f ${all} -o jsonpath={.items[*].metadata.annotations.note}`);
    expect(edited.split(' ')).toEqual(samples.map(() => 'edited'));
    const current = bare.file('current.json', await bare.kubectl(`get -f ${all} -o json`));
    expect(lines(await bare.kubectl(`replace -f ${current}`))).toEqual(samples.map((sample) => lineOf(sample, 'replaced')));
  });

  test('lists each kind that discovery names, and watches it', async () => {
    const resources = lines(await bare.kubectl('api-resources --verbs=list,watch -o name'));
    for (const name of resources) await bare.kubectl(`get ${name} -A -o name`);
    const wide = await bare.kubectl('api-resources -o wide --no-headers');
    for (const sample of samples) expect(wide).toMatch(new RegExp(`^${kindOf(sample).names.plural} .*${sample.kind} `, 'm'));
    expect(lines(await bare.kubectl('api-versions'))).toEqual(expect.arrayContaining(samples.map(({ apiVersion }) => apiVersion)));
  });

  test('deletes them', async () => {
    // Volumes and claims are protected while others may use them; their controllers are not here to let them go.
    const release = JSON.stringify({ metadata: { finalizers: null } });
    for (const name of ['persistentvolume/sample', 'persistentvolumeclaim/sample', 'volumeattributesclass/sample']) {
      await bare.kubectl(['patch', name, '--type=merge', '-p', release]);
    }
    const deleted = await bare.kubectl(`delete -f ${all} --wait=false`);
    expect(lines(deleted)).toHaveLength(samples.length);
    const left = await bare.kubectl(`get -f ${all} --ignore-not-found -o name`);
    // A namespace goes when its controller has seen to it that nothing is left in it.
    expect(left).toBe('namespace/extra\n');
  });
});
