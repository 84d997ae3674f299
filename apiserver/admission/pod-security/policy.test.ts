import { describe, expect, test } from 'vitest';
import { levelText, type Policy, policyOf } from './policy.ts';

const open = { level: 'privileged', minor: Infinity } as const;
const defaults: Policy = { enforce: open, audit: open, warn: open };

function read(labels: Record<string, string>): { levels: string; problems: string[] } {
  const full = Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]));
  const { policy, problems } = policyOf(full, defaults);
  return {
    levels: (['enforce', 'audit', 'warn'] as const).map((mode) => levelText(policy[mode])).join(' '),
    problems: problems.map(({ field, message }) => `${field}: ${message}`),
  };
}

describe("a namespace's labels", () => {
  test.each<[Record<string, string>, string]>([
    [{}, 'privileged:latest privileged:latest privileged:latest'],
    [{ audit: 'baseline', 'audit-version': 'v1.30' }, 'privileged:latest baseline:v1.30 privileged:latest'],
    [{ enforce: 'baseline' }, 'baseline:latest privileged:latest baseline:latest'],
    [{ enforce: 'baseline', 'enforce-version': 'v1.25' }, 'baseline:v1.25 privileged:latest baseline:v1.25'],
    [{ enforce: 'baseline', 'warn-version': 'v1.25' }, 'baseline:latest privileged:latest baseline:v1.25'],
    [{ enforce: 'baseline', warn: 'privileged' }, 'baseline:latest privileged:latest privileged:latest'],
    [{ enforce: 'baseline', warn: 'restricted' }, 'baseline:latest privileged:latest restricted:latest'],
    [{ 'enforce-version': 'v1.2' }, 'privileged:v1.2 privileged:latest privileged:latest'],
  ])('%j', (labels, levels) => {
    expect(read(labels)).toEqual({ levels, problems: [] });
  });

  const at = (label: string): string => `metadata.labels[pod-security.kubernetes.io/${label}]: Invalid value:`;
  test.each<[Record<string, string>, string, string[]]>([
    [
      { enforce: 'x', audit: 'y', warn: 'z' },
      'restricted:latest privileged:latest privileged:latest',
      [
        `${at('enforce')} "x": must be one of privileged, baseline, restricted`,
        `${at('audit')} "y": must be one of privileged, baseline, restricted`,
        `${at('warn')} "z": must be one of privileged, baseline, restricted`,
      ],
    ],
    [
      { 'enforce-version': '1.30' },
      'privileged:latest privileged:latest privileged:latest',
      [`${at('enforce-version')} "1.30": must be "latest" or "v1.x"`],
    ],
    [
      { 'warn-version': 'v1.007' },
      'privileged:latest privileged:latest privileged:latest',
      [`${at('warn-version')} "v1.007": must be "latest" or "v1.x"`],
    ],
    [
      { 'audit-version': 'v2.0' },
      'privileged:latest privileged:latest privileged:latest',
      [`${at('audit-version')} "v2.0": must be "latest" or "v1.x"`],
    ],
  ])('%j is wrong', (labels, levels, problems) => {
    expect(read(labels)).toEqual({ levels, problems });
  });
});
