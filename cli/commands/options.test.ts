import { expect, test } from 'vitest';
import { HelpRequested } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { layoutFor, parseOptions } from './options.ts';

test('defaults', () => {
  expect(parseOptions('up', [])).toMatchObject({
    name: 'coxswain',
    'data-dir': '/var/lib/coxswain',
    port: 6_443,
    wait: 120_000,
    demo: false,
  });
  expect(parseOptions('down', [])).toMatchObject({ wipe: false });
});

test.each<[string[], Record<string, unknown>]>([
  [['--wait=90s', '--port', '7443'], { wait: 90_000, port: 7_443 }],
  [['--wait', '1m30s', '--demo'], { wait: 90_000, demo: true }],
  [['--wait=0'], { wait: 0 }],
  [
    ['--extra-arg=kube-apiserver:v=4', '--extra-arg', 'kube-apiserver:--audit-log-path=/a,b', '--extra-arg=kubelet:max-pods=7'],
    { 'extra-arg': { 'kube-apiserver': { v: '4', 'audit-log-path': '/a,b' }, kubelet: { 'max-pods': '7' } } },
  ],
  [['--extra-arg=kubelet:v=4', '--extra-arg='], { 'extra-arg': {} }],
  [[`--name=${'a'.repeat(63)}`], { name: 'a'.repeat(63) }],
  [['--data-dir=/var/lib/with blank'], { 'data-dir': '/var/lib/with blank' }],
])('%j', (argv, values) => {
  expect(parseOptions('up', argv)).toMatchObject(values);
});

test.each<[string[], string]>([
  [['--fast'], 'unknown flag: --fast'],
  [['--extra-arg=v=4'], 'must be of the form component:flag=value'],
  [['--extra-arg=apiserver:v=4'], 'there is no component "apiserver": kube-apiserver'],
  [['--port=0'], 'invalid value "0" for --port: must lie between 1 and 65535'],
  [['--port=65536'], 'invalid value "65536" for --port'],
  [['--port'], 'flag needs a value: --port'],
  [['--wait=soon'], 'invalid value "soon" for --wait: must be a duration such as 90s or 1m30s'],
  [['--wait=-1s'], '--wait: must not be negative'],
  [['--wait=1e3s'], 'invalid value "1e3s" for --wait'],
  [['--name='], 'invalid value "" for --name'],
  [[`--name=${'a'.repeat(64)}`], 'at most 63'],
  [['--name=Caps'], 'invalid value "Caps" for --name'],
  [['--name=../etc'], 'invalid value "../etc" for --name'],
  [['--data-dir='], 'invalid value "" for --data-dir'],
  [['--data-dir=a\nb'], '--data-dir: must be one line'],
  [['--demo=maybe'], 'invalid value "maybe" for --demo: must be true or false'],
  [['now'], 'unexpected argument "now"'],
])('refuses %j in one sentence', (argv, words) => {
  const act = (): unknown => parseOptions('up', argv);
  expect(act).toThrow(UsageError);
  expect(act).toThrow(words);
  try {
    act();
  } catch (error) {
    expect((error as UsageError).exitCode).toBe(2);
    expect((error as UsageError).message).not.toContain('\n');
  }
});

test.each(['up', 'down', 'status'] as const)('%s --help explains each flag', (command) => {
  try {
    parseOptions(command, ['--help']);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(HelpRequested);
    const { text } = error as HelpRequested;
    expect(text).toContain(`coxswain ${command} [flags]`);
    expect(text).toMatch(/--data-dir path +Folder/);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThan(160);
  }
});

test('a relative data folder is meant from here', () => {
  expect(layoutFor({ 'data-dir': 'some/where', given: new Set(['data-dir']) }).dataDir).toBe(`${process.cwd()}/some/where`);
});
