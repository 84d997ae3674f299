import { expect, test } from 'vitest';
import { ipRangeOf } from './ip-range.ts';
import { bandOf } from './service-pools.ts';

// The cases of upstream's test of calculateRangeOffset (pkg/registry/core/service/ipallocator).
test.each([
  ['192.168.1.1/32', 0],
  ['192.168.1.1/31', 0],
  ['192.168.1.1/28', 0],
  ['192.168.1.1/27', 16],
  ['192.168.1.1/24', 16],
  ['192.168.1.1/23', 32],
  ['192.168.1.1/22', 64],
  ['192.168.1.1/21', 128],
  ['192.168.1.1/20', 256],
  ['192.168.1.1/19', 256],
  ['192.168.1.1/16', 256],
])('of %s, %d addresses are for those who ask by number', (text, reserved) => {
  const range = ipRangeOf(text);
  expect(range && bandOf(range).reserved).toBe(reserved);
});
