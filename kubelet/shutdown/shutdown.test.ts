import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { flagsOfText } from '../config-file.ts';
import { eventually } from '../testing.ts';
import { Logind, parseEvent } from './logind.ts';
import { groupsOf, neededSeconds, periodsOf } from './plan.ts';
import { shutdownPeriods } from './settings.ts';

const critical = 2_000_000_000;

test.each<[whole: number, criticalMs: number, expected: object[]]>([
  [0, 0, []],
  [
    30_000,
    10_000,
    [
      { priority: 0, seconds: 20 },
      { priority: critical, seconds: 10 },
    ],
  ],
  [
    30_000,
    0,
    [
      { priority: 0, seconds: 30 },
      { priority: critical, seconds: 0 },
    ],
  ],
])('%i ms, %i of them for critical pods', (whole, criticalMs, expected) => expect(periodsOf(whole, criticalMs)).toEqual(expected));

describe('groupsOf', () => {
  const periods = [
    { priority: 1_000, seconds: 20 },
    { priority: 10, seconds: 30 },
    { priority: critical, seconds: 5 },
  ];
  test('the least important first; who is between two periods has the lower', () => {
    const priorities = [1_500, critical + 1_000, 5, 10, 999, 1_000];
    expect(groupsOf(periods, priorities, (one) => one)).toEqual([
      { seconds: 30, pods: [5, 10, 999] },
      { seconds: 20, pods: [1_500, 1_000] },
      { seconds: 5, pods: [critical + 1_000] },
    ]);
    expect(neededSeconds(periods)).toBe(55);
  });
  test('nobody waits for nobody', () => expect(groupsOf(periods, [1_000], (one) => one)).toEqual([{ seconds: 20, pods: [1_000] }]));
});

describe('settings', () => {
  const of = (whole: number, criticalMs: number, byPriority: readonly string[] = []) =>
    shutdownPeriods({
      'shutdown-grace-period': whole,
      'shutdown-grace-period-critical-pods': criticalMs,
      'shutdown-grace-period-by-pod-priority': byPriority,
    });
  test('from a file', () => {
    const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
    expect(flagsOfText(`${head}shutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\n`)).toEqual({
      'shutdown-grace-period': '30s',
      'shutdown-grace-period-critical-pods': '10s',
    });
    const byPriority =
      'shutdownGracePeriodByPodPriority: [{priority: 10, shutdownGracePeriodSeconds: 30}, {priority: 0, shutdownGracePeriodSeconds: 60}]';
    expect(flagsOfText(head + byPriority)).toEqual({ 'shutdown-grace-period-by-pod-priority': '10=30,0=60' });
  });
  test('by priority', () => {
    expect(of(0, 0, ['10=30', '-5=60'])).toEqual([
      { priority: 10, seconds: 30 },
      { priority: -5, seconds: 60 },
    ]);
  });
  test.each<[string, Parameters<typeof of>]>([
    ['invalid configuration: shutdownGracePeriodCriticalPods 10s must be <= shutdownGracePeriod 5s', [5_000, 10_000]],
    ['invalid configuration: shutdownGracePeriod 500ms must be either zero or otherwise >= 1 sec', [500, 0]],
    ['invalid configuration: shutdownGracePeriodCriticalPods 500ms must be either zero or otherwise >= 1 sec', [5_000, 500]],
    [
      'invalid configuration: Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time',
      [5_000, 0, ['1=1']],
    ],
  ])('%s', (message, values) => expect(() => of(...values)).toThrow(message));
});

describe('logind, by programs that stand for those of systemd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logind-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);
  function program(name: string, script: string): string {
    writeFileSync(at(name), `#!/bin/sh\n${script}\n`);
    chmodSync(at(name), 0o755);
    return at(name);
  }
  const saying = (isBeginning: boolean): string =>
    JSON.stringify({ type: 'signal', member: 'PrepareForShutdown', payload: { type: 'b', data: [isBeginning] } });

  test('holds the machine up until it is let go, and says what happens', async () => {
    const life = new AbortController();
    writeFileSync(at('delay'), 't 5000000');
    const logind = new Logind({
      busctl: program(
        'busctl',
        `case "$*" in *get-property*) cat ${at('delay')};; *monitor*) echo Monitoring; echo '${saying(true)}'; echo '${saying(false)}';; esac`,
      ),
      inhibit: program('inhibit', `echo "$@" >> ${at('held')}; cat; echo over >> ${at('released')}`),
      systemctl: program('systemctl', `echo "$@" > ${at('reloaded')}; echo 't 30000000' > ${at('delay')}`),
      configFile: at('conf.d/99-kubelet.conf'),
    });
    const watch = await logind.watch(30, life.signal);
    expect(readFileSync(at('conf.d/99-kubelet.conf'), 'utf8')).toContain('[Login]\nInhibitDelayMaxSec=30\n');
    expect(readFileSync(at('reloaded'), 'utf8')).toBe('kill --signal=HUP systemd-logind.service\n');
    const held = (): string => (existsSync(at('held')) ? readFileSync(at('held'), 'utf8') : '');
    await eventually(() => held().endsWith('\n'), 'the lock');
    expect(held()).toContain('--what=shutdown --who=kubelet');
    const seen: boolean[] = [];
    for await (const isBeginning of watch.events) seen.push(isBeginning);
    expect(seen).toEqual([true, false]);
    await eventually(() => existsSync(at('released')), 'the lock to be released');
    life.abort(new Error('over'));
  });

  test('says why the machine will not wait', async () => {
    writeFileSync(at('delay'), 't 5000000');
    const logind = new Logind({
      busctl: program('short', `cat ${at('delay')}`),
      systemctl: program('deaf', 'exit 0'),
      inhibit: program('none', 'exit 0'),
      configFile: at('conf.d/99-kubelet.conf'),
    });
    await expect(logind.watch(60, new AbortController().signal)).rejects.toThrow('logind waits 5 s at most');
    const none = new Logind({ busctl: at('not-there'), configFile: at('x') });
    await expect(none.watch(60, new AbortController().signal)).rejects.toThrow('ENOENT');
  });

  test('other lines say nothing', () => {
    expect(parseEvent('Monitoring bus message stream.')).toBeUndefined();
    expect(parseEvent('{"type":"signal","member":"Other","payload":{"data":[true]}}')).toBeUndefined();
  });
});
