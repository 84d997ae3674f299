// Manifests in the shape that well-known projects publish, in the hands of the oldest and the newest kubectl: applied without a change.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { allKubectls } from '#test/testbed/kubectl.ts';
import { BareServer } from '../kinds/bare-server.ts';

const clients = [...new Set([allKubectls().at(0), allKubectls().at(-1)])].flatMap((one) => (one === undefined ? [] : [one]));
const folder = import.meta.dirname;
const projects = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const lines = (text: string): string[] => text.trim().split('\n');
const words = (text: string): string[] => lines(text).map((line) => line.slice(line.lastIndexOf(' ') + 1));

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly items?: readonly Manifest[];
}
const objectsOf = (project: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(folder, project), 'utf8'))
    .map((document) => document.toJS() as Manifest | null)
    .flatMap((one) => one?.items ?? one ?? []);

describe.each(clients.map((kubectl) => [kubectl.version, kubectl] as const))('kubectl %s', (version, kubectl) => {
  const isNew = Number(version.split('.')[1]) >= 25;
  let bare: BareServer;
  beforeAll(async () => {
    bare = await BareServer.start(kubectl);
    await bare.tryKubectl('create namespace kube-system');
  });
  afterAll(async () => bare?.[Symbol.asyncDispose]());

  test.each(projects)('%s', async (project) => {
    const file = join(folder, project);
    const objects = objectsOf(project);
    const each = (word: string): string[] => objects.map(() => word);
    expect(words(await bare.kubectl(`apply -f ${file}`))).toEqual(each('created'));
    // kubectl sends some things always (stringData, lists that are one value and get defaults), but none of it may change an object.
    const revisions = (): Promise<string> => bare.kubectl(`get -f ${file} -o jsonpath={.items[*].metadata.resourceVersion}`);
    const applied = await revisions();
    expect([...new Set(words(await bare.kubectl(`apply -f ${file}`)))].toSorted().join()).toMatch(/^(configured,)?unchanged$/);
    expect(await revisions()).toBe(applied);
    expect(await bare.tryKubectl(`diff -f ${file}`)).toMatchObject({ code: 0, stdout: '' });
    expect(words(await bare.kubectl(`apply --server-side --force-conflicts -f ${file}`))).toEqual(each('serverside-applied'));
    const wide = await bare.kubectl(`get -f ${file} -o wide`);
    for (const { metadata } of objects) expect(wide).toContain(metadata.name);
    // The oldest describes some kinds by versions that Kubernetes has dropped.
    if (isNew) {
      const described = await bare.kubectl(`describe -f ${file}`);
      for (const { metadata } of objects) expect(described).toMatch(new RegExp(`^Name: +${metadata.name}$`, 'm'));
    }
    expect(lines(await bare.kubectl(`delete -f ${file} --wait=false`))).toHaveLength(objects.length);
  });
});
