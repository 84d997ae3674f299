import { expect, test } from 'vitest';
import { etcdFailure } from './failures.ts';

test.each<[code: number, details: string, verdict: string, storeCode: string, message?: string]>([
  [14, 'etcdserver: no leader', 'again', 'unavailable'],
  [14, 'etcdserver: request timed out, possibly due to previous leader failure', 'again', 'unavailable'],
  [4, 'Deadline exceeded', 'again', 'unavailable'],
  [1, 'Cancelled on client', 'again', 'unavailable'],
  [2, 'context canceled', 'again', 'unavailable'],
  [13, 'Received RST_STREAM with code 2', 'again', 'unavailable'],
  [8, 'etcdserver: mvcc: database space exceeded', 'final', 'full'],
  [8, 'etcdserver: too many requests', 'refused', 'unavailable'],
  [8, 'grpc: received message larger than max (3000000 vs. 2097152)', 'final', 'too-large', 'etcdserver: request is too large'],
  [3, 'etcdserver: request is too large', 'final', 'too-large'],
  [3, 'etcdserver: duplicate key given in txn request', 'final', 'unavailable'],
  [5, 'etcdserver: requested lease not found', 'lease-gone', 'unavailable'],
  [11, 'etcdserver: mvcc: required revision has been compacted', 'final', 'compacted'],
  [11, 'etcdserver: mvcc: required revision is a future revision', 'final', 'unavailable'],
  [15, 'etcdserver: corrupt cluster', 'final', 'corrupt'],
  [7, 'etcdserver: permission denied', 'final', 'unavailable'],
  [16, 'etcdserver: invalid auth token', 'final', 'unavailable'],
])('%d %s', (code, details, verdict, storeCode, message = details) => {
  expect(etcdFailure(code, details)).toMatchObject({ verdict, storeCode, message });
});
