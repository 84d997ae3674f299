import { expect, test } from 'vitest';
import { type AuthorizationRequest, type Authorizer, type Decision, noRights } from './contract.ts';
import { firstOpinion } from './union.ts';

const none = (reason: string): Decision => ({ verdict: 'none', reason });

/** Authorizers with these opinions; a star makes one take its time. */
function ask(...opinions: string[]): Decision | Promise<Decision> {
  const authorizers = opinions.map((opinion): Authorizer => {
    const [word = '', reason = ''] = opinion.replace('*', '').split(' ');
    const decision = { verdict: word, reason } as Decision;
    return { authorize: () => (opinion.endsWith('*') ? Promise.resolve(decision) : decision), rightsOf: () => noRights };
  });
  return firstOpinion(authorizers).authorize({} as AuthorizationRequest);
}

test.each<[string[], Decision]>([
  [[], none('')],
  [['none', 'none'], none('')],
  [['none a', 'none', 'none b'], none('a, b')],
  [['none a', 'none b*', 'none c', 'none d*'], none('a, b, c, d')],
  [['none a', 'allow b', 'deny c'], { verdict: 'allow', reason: 'b' } as Decision],
  [['none a*', 'deny b', 'allow c'], { verdict: 'deny', reason: 'b' } as Decision],
  [['none a', 'allow b*', 'deny c'], { verdict: 'allow', reason: 'b' } as Decision],
])('%j', async (opinions, expected) => {
  expect(await ask(...opinions)).toEqual(expected);
});

test('nobody waits for authorizers that do not', () => {
  expect(ask('none', 'allow')).not.toBeInstanceOf(Promise);
  expect(ask('none', 'allow*')).toBeInstanceOf(Promise);
});
