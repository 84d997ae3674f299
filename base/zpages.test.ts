import { expect, test } from 'vitest';
import { boolFlag, durationFlag, intFlag, listFlag, mapFlag, parseFlags, stringFlag } from './flags.ts';
import { flagTexts, flagzPage, statuszPage } from './zpages.ts';

test('statusz tells how long a component is up, and its pages by their first segment', () => {
  const startedMs = Date.parse('2026-10-06T21:03:43.500Z');
  const nowMs = startedMs + 3_725_900;
  const { text, object } = statuszPage({ component: 'kube-thing', startedMs, nowMs, paths: ['/metrics', '/apis/apps', '/apis', '/'] });
  const version = expect.stringMatching(/^1\.36\.\d/) as string;
  expect(text.split('\n').map((line) => line.replace(/(Go|Binary) version: .*/, '$1'))).toEqual([
    '',
    'kube-thing statusz',
    expect.stringMatching(/^Warning: This endpoint is not meant to be machine parseable/),
    '',
    'Started: Tue Oct  6 21:03:43 UTC 2026',
    'Up: 1 hr 02 min 05 sec',
    'Go',
    'Binary',
    'Emulation version: 1.36',
    'Paths: /apis /metrics',
    '',
  ]);
  expect(object).toEqual({
    kind: 'Statusz',
    apiVersion: 'config.k8s.io/v1beta1',
    metadata: { name: 'kube-thing' },
    startTime: '2026-10-06T21:03:43Z',
    uptimeSeconds: 3_725,
    goVersion: expect.stringMatching(/^node/) as string,
    binaryVersion: version,
    emulationVersion: '1.36',
    minimumCompatibilityVersion: '1.35',
    paths: ['/apis', '/metrics'],
  });
});

test('flagz tells the values of all flags, as Go prints them', () => {
  const flags = {
    switch: boolFlag(true, ''),
    count: intFlag(3, ''),
    'how-long': durationFlag(60_000, ''),
    names: listFlag(['a', 'b'], ''),
    none: listFlag([], ''),
    gates: mapFlag(''),
    file: stringFlag('', ''),
  };
  const { values } = parseFlags('x', flags, ['--gates=B=true,A=false', '--names=c', '--file=/a b']);
  const texts = flagTexts(flags, values);
  expect(texts).toEqual({
    switch: 'true',
    count: '3',
    'how-long': '1m0s',
    names: '[c]',
    none: '[]',
    gates: 'A=false,B=true',
    file: '/a b',
  });
  const { text, object } = flagzPage('x', texts);
  expect(text.split('\n').slice(4, 6)).toEqual(['count=3', 'file=/a b']);
  expect(object).toMatchObject({ kind: 'Flagz', metadata: { name: 'x' }, flags: texts });
});
