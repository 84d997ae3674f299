import { expect, it, test } from 'vitest';
import { parseFlags } from '#base/flags.ts';
import type { Log } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { featureGatesFlag, gateProblems, reportFeatureGates } from './feature-gates.ts';
import { gateGroups, gateNeeds } from './known.ts';

const control = { gates: featureGatesFlag({ takesPrefix: true }) };
const parse = (...texts: string[]) =>
  parseFlags(
    'x',
    control,
    texts.map((text) => `--gates=${text}`),
  ).values.gates;

test('what is known is whole: no name twice, and the defaults need nothing that is off', () => {
  const names = gateGroups.flatMap((group) => group.names);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => /^[A-Z][A-Za-z0-9]+$/.test(name))).toBe(true);
  expect(Object.entries(gateNeeds).flat(2)).toSatisfy((all: string[]) => all.every((name) => names.includes(name)));
  expect(gateProblems({})).toEqual([]);
});

it.each<[texts: string[], expected: Record<string, string> | string]>([
  [['GangScheduling=true,GenericWorkload=true'], { GangScheduling: 'true', GenericWorkload: 'true' }],
  [['kube:WatchList=false', 'kube:WatchList=true'], { WatchList: 'true' }],
  [['SidecarContainers=true'], { SidecarContainers: 'true' }],
  [['AllAlpha=true'], { AllAlpha: 'true' }],
  [['AllBeta=true'], { AllBeta: 'true' }],
  [['MutatingAdmissionPolicy=false'], { MutatingAdmissionPolicy: 'false' }],
  [['NoSuchThing=true'], 'for --gates: unrecognized feature gate: NoSuchThing'],
  [['SidecarContainers=false'], 'cannot set feature gate SidecarContainers to false, feature is locked to true'],
  [['SeparateCacheWatchRPC=true'], 'cannot set feature gate SeparateCacheWatchRPC to true, feature is locked to false'],
  [
    ['SidecarContainers=false,NodeSwap=f'],
    '[cannot set feature gate SidecarContainers to false, feature is locked to true, cannot set feature gate NodeSwap to false, feature is locked to true]',
  ],
  [['GangScheduling=true'], 'GangScheduling is enabled, but depends on features that are disabled: [GenericWorkload]'],
  [
    ['APIServerIdentity=false'],
    'UnknownVersionInteroperabilityProxy is enabled, but depends on features that are disabled: [APIServerIdentity]',
  ],
  [['WatchList=maybe'], 'invalid value of WatchList=maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [['WatchList'], 'missing bool value for WatchList'],
  [['wardle:WatchList=true'], 'component not registered: wardle'],
])('%j', (texts, expected) => {
  if (typeof expected === 'string') expect(() => parse(...texts)).toThrow(expected);
  else expect(parse(...texts)).toEqual(expected);
});

it('takes no prefix where upstream takes none', () => {
  expect(() => parseFlags('kubelet', { gates: featureGatesFlag() }, ['--gates=kube:WatchList=true'])).toThrow(
    'unrecognized feature gate: kube:WatchList',
  );
});

it('says what comes of a wish, and tells all gates with their stages', async () => {
  const metrics = createMetrics();
  const said: string[] = [];
  const log = { warn: ({ featureGate }: { featureGate: string }, text: string) => said.push(`${featureGate}: ${text}`) } as unknown as Log;
  reportFeatureGates('WatchList=true,GenericWorkload=true,KMSv1=true,NodeSwap=true', { metrics, log });
  expect(said).toEqual([
    'GenericWorkload: feature gate changes nothing: features are not switched here',
    'KMSv1: setting deprecated feature gate. It will be removed in a future release',
    'KMSv1: feature gate changes nothing: features are not switched here',
    'NodeSwap: setting GA feature gate. It will be removed in a future release',
  ]);
  const lines = (await metrics.text()).split('\n');
  expect(lines).toContain('kubernetes_feature_enabled{name="SidecarContainers",stage=""} 1');
  expect(lines).toContain('kubernetes_feature_enabled{name="GenericWorkload",stage="ALPHA"} 0');
  expect(lines).toContain('kubernetes_feature_enabled{name="WatchList",stage="BETA"} 1');
});
