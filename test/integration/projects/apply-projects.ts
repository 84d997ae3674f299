// Manifests in the shape that well-known projects publish, in the hands of one kubectl: applied without a change, in each of its ways.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Kubectl } from '#test/testbed/kubectl.ts';
import { BareServer } from '../kinds/bare-server.ts';
import { sentAnyway } from './sent-anyway.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly items?: readonly Manifest[];
}

const folder = import.meta.dirname;
const projects = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
/** `deployment.apps/web configured` → `deployment/web`, of the lines that end so. */
const named = (text: string, end: string): string[] =>
  lines(text)
    .filter((line) => line.endsWith(` ${end}`))
    .map((line) => line.slice(0, -end.length - 1).replace(/^([^./]+)[^/]*/, '$1'));

/** The objects of a project, as kubectl names them but for the group. */
const objectsOf = (project: string): string[] =>
  parseAllDocuments(readFileSync(join(folder, project), 'utf8'))
    .map((document) => document.toJS() as Manifest | null)
    .flatMap((one) => one?.items ?? one ?? [])
    .map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);

/** What a whole object may not be put over: an update without what the server has filled in changes what may not change. */
const isFixed = (name: string): boolean => /^(pod|job)\//.test(name) && name !== 'job/managed';

/** Declares the tests of every project. */
export function applyProjects(kubectl: Kubectl): void {
  const minor = Number(kubectl.version.split('.')[1]);
  describe(`kubectl ${kubectl.version}`, () => {
    let bare: BareServer;
    beforeAll(async () => {
      bare = await BareServer.start(kubectl);
      await bare.tryKubectl('create namespace kube-system');
      await bare.kubectl('create serviceaccount default');
    });
    afterAll(async () => bare?.[Symbol.asyncDispose]());

    test.each(projects)('%s', async (project) => {
      const file = join(folder, project);
      const objects = objectsOf(project);
      expect(named(await bare.kubectl(`apply -f ${file}`), 'created')).toEqual(objects);

      // kubectl sends some things always, but none of it may change an object.
      const revisions = (): Promise<string> => bare.kubectl(`get -f ${file} -o jsonpath={.items[*].metadata.resourceVersion}`);
      const applied = await revisions();
      const again = await bare.kubectl(`apply -f ${file}`);
      expect([...named(again, 'configured')].toSorted()).toEqual([...sentAnyway(project, minor)].toSorted());
      expect(named(again, 'configured').length + named(again, 'unchanged').length).toBe(objects.length);
      expect(await revisions()).toBe(applied);
      expect(await bare.tryKubectl(`diff -f ${file}`)).toMatchObject({ code: 0, stdout: '' });
      expect(named(await bare.kubectl(`apply --server-side --force-conflicts -f ${file}`), 'serverside-applied')).toEqual(objects);

      expect(named((await bare.tryKubectl(`replace -f ${file}`)).stdout, 'replaced')).toEqual(objects.filter((name) => !isFixed(name)));
      const wide = await bare.kubectl(`get -f ${file} -o wide`);
      for (const name of objects) expect(wide).toContain(name.slice(name.indexOf('/') + 1));
      // The oldest describes some kinds by versions that Kubernetes has dropped.
      if (minor >= 25) {
        const described = await bare.tryKubectl(`describe -f ${file}`);
        for (const name of objects.filter((one) => !one.startsWith('volumeattributesclass/')))
          expect(described.stdout).toMatch(new RegExp(`^Name: +${name.slice(name.indexOf('/') + 1)}$`, 'm'));
      }

      expect(lines(await bare.kubectl(`delete -f ${file} --wait=false`))).toHaveLength(objects.length);
      // A namespace goes once its controller has emptied it. What protected volumes, the replacement has put away.
      const left = lines(await bare.kubectl(`get -f ${file} --ignore-not-found -o name`));
      expect(left).toEqual(objects.filter((name) => name.startsWith('namespace/')));
    });
  });
}
