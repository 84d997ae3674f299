import { expect, test } from 'vitest';
import { AdmissionChain } from './admission-chain.ts';
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts';

const request = { name: 'x' } as AdmissionRequest;

/** Plugins that write down their names: at once, or later (those with a star). */
function chainOf(names: readonly string[], asked: string[]): AdmissionChain {
  const plugins = names.map((name): AdmissionPlugin => {
    const act = (): void => {
      asked.push(name);
      if (name.includes('refuses')) throw new Error(name);
    };
    const later = async (): Promise<void> => {
      await Promise.resolve();
      act();
    };
    const point = name.endsWith('*') ? later : act;
    return { name, mutate: point, validate: point };
  });
  return new AdmissionChain(plugins);
}

test.each<[string, string[], 'at once' | 'later']>([
  ['nobody', [], 'at once'],
  ['nobody who waits', ['a', 'b'], 'at once'],
  ['some who wait', ['a', 'b*', 'c', 'd*'], 'later'],
])('%s: all are asked in their order', async (_name, names, when) => {
  for (const point of ['mutate', 'validate'] as const) {
    const asked: string[] = [];
    const waiting = chainOf(names, asked)[point](request);
    expect(waiting === undefined ? 'at once' : 'later').toBe(when);
    await waiting;
    expect(asked).toEqual(names);
  }
});

test.each<[string[], string[]]>([
  [
    ['a', 'refuses', 'b'],
    ['a', 'refuses'],
  ],
  [
    ['a*', 'refuses', 'b'],
    ['a*', 'refuses'],
  ],
  [
    ['a', 'refuses*', 'b'],
    ['a', 'refuses*'],
  ],
])('%s: nobody is asked after a refusal', async (names, expected) => {
  const asked: string[] = [];
  await expect(async () => chainOf(names, asked).mutate(request)).rejects.toThrow('refuses');
  expect(asked).toEqual(expected);
});

type Taking = 'takes' | 'takes later' | 'nothing' | 'nothing later' | 'refuses' | 'refuses later';

function takingChain(parts: readonly Taking[], ended: string[]): AdmissionChain {
  const plugins = parts.map((part, at): AdmissionPlugin => {
    const take = () => {
      if (part.startsWith('refuses')) throw new Error('no');
      return part.startsWith('takes') ? (outcome: string) => void ended.push(`${at} ${outcome}`) : undefined;
    };
    const point = part.endsWith('later') ? async () => take() : take;
    return { name: part, reserve: point, charge: point };
  });
  return new AdmissionChain(plugins);
}

test.each<[Taking[], string[]]>([
  [[], []],
  [['nothing', 'nothing'], []],
  [['takes'], ['0 committed']],
  [
    ['nothing', 'takes later', 'nothing later', 'takes'],
    ['3 committed', '1 committed'],
  ],
])('%s: those who took something are told the end, the last one first', async (parts, expected) => {
  for (const point of ['reserve', 'charge'] as const) {
    const ended: string[] = [];
    const end = await takingChain(parts, ended)[point](request);
    await end('committed');
    expect(ended).toEqual(expected);
  }
});

test.each<[Taking[], string[]]>([
  [['refuses'], []],
  [['takes', 'refuses'], ['0 dropped']],
  [
    ['takes later', 'nothing', 'takes', 'refuses later', 'takes'],
    ['2 dropped', '0 dropped'],
  ],
])('%s: what was taken is given back', async (parts, expected) => {
  const ended: string[] = [];
  await expect(async () => await takingChain(parts, ended).reserve(request)).rejects.toThrow('no');
  expect(ended).toEqual(expected);
});
