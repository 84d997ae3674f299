import { describe, expect, test } from 'vitest';
import { HelpRequested } from '#base/flags.ts';
import { runCommand } from './command.ts';
import { initCommand } from './init/command.ts';
import { joinCommand } from './join/command.ts';
import { type Phase, phaseList, refuseUnknownPhases, runPhases } from './phase.ts';
import { recordedHost } from './testing.ts';

const phases: readonly Phase<string[]>[] = [
  { name: 'one', about: 'First', run: (done) => void done.push('one') },
  {
    name: 'two',
    about: 'Second',
    run: (done) => void done.push('two'),
    parts: ['a', 'longer'].map((name) => ({ name, about: `Part ${name}`, run: (done) => void done.push(`two/${name}`) })),
  },
];

describe('phases', () => {
  test.each<[readonly string[], readonly string[]]>([
    [[], ['one', 'two', 'two/a', 'two/longer']],
    [
      ['one', 'two/a'],
      ['two', 'two/longer'],
    ],
    [['two'], ['one']],
  ])('run in order, without %j', async (skipped, expected) => {
    const done: string[] = [];
    await runPhases(phases, done, skipped);
    expect(done).toEqual(expected);
  });

  test('that are not there are refused', () => {
    refuseUnknownPhases(phases, ['one', 'two/longer']);
    expect(() => refuseUnknownPhases(phases, ['longer'])).toThrow('invalid phase name: longer');
  });

  test('are listed in the help of their command', () => {
    expect(phaseList('count', phases)).toBe(
      'The "count" command executes the following phases:\n```\none      First\ntwo      Second\n  /a       Part a\n  /longer  Part longer\n```',
    );
  });
});

describe('what init and join tell of themselves', () => {
  const help = async (...[root, ...words]: readonly [typeof initCommand, ...string[]]): Promise<string> => {
    const asked = await runCommand(root, [...words, '--help'], recordedHost()).catch((error: unknown) => error);
    if (!(asked instanceof HelpRequested)) throw asked;
    return asked.text;
  };

  test('has upstream’s phases', async () => {
    const listed = [...(await help(joinCommand)).matchAll(/^( {2}\/)?([a-z-]+) {2,}[A-Z]/gm)].map(
      ([, part = '', name]) => `${part.trim()}${name}`,
    );
    const wanted =
      'preflight control-plane-prepare /download-certs /certs /kubeconfig /control-plane kubelet-start etcd-join kubelet-wait-bootstrap control-plane-join /mark-control-plane wait-control-plane';
    expect(listed.join(' ')).toBe(wanted);
    expect(await help(initCommand)).toContain(
      '\n  /enable-client-cert-rotation  Enable kubelet client certificate rotation\naddon                         Install',
    );
  });

  test('and each of them, and all parts of one, can be run alone', async () => {
    expect(await help(joinCommand, 'phase', 'control-plane-prepare')).toMatch(/ {2}all +Prepare .*\n {2}download-certs /);
    expect(await help(initCommand, 'phase', 'certs', 'etcd-server')).toMatch(/^Generate the certificate for serving etcd\n\nUsage:/);
  });
});
