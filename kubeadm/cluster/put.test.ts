import { expect, test } from 'vitest';
import { recordedHost } from '../testing.ts';
import { NotYet, patiently } from './put.ts';

test('who gives up says what came last, and where to look for more', async () => {
  const never = (): Promise<never> => Promise.reject(new NotYet('10.0.0.1 is no endpoint'));
  const host = { ...recordedHost(), patienceMs: -1 };
  await expect(patiently(host, never)).rejects.toThrow(
    /^the API server did not take a request in time: NotYet: 10\.0\.0\.1 is no endpoint$/,
  );
  await expect(patiently({ ...host, hint: 'see /var/log/a' }, never)).rejects.toThrow(/is no endpoint \(see \/var\/log\/a\)$/);
});
