import { expect, test } from 'vitest';
import { ipFamilyOf, isCidr, validateNotSpecialIp } from './ip.ts';

test.each([
  ['10.0.0.1', 4],
  ['::1', 6],
  ['fe80::1%eth0', undefined],
  ['10.0.0', undefined],
  ['', undefined],
])('%s is of family %s', (text, expected) => {
  expect(ipFamilyOf(text)).toBe(expected);
});

test.each([
  ['10.0.0.0/8', true],
  ['10.0.0.0/33', false],
  ['fd00::/64', true],
  ['10.0.0.0/08', false],
  ['10.0.0.0', false],
])('%s is a network: %s', (text, expected) => {
  expect(isCidr(text)).toBe(expected);
});

test.each([
  ['10.0.0.1', undefined],
  ['2001:db8::1', undefined],
  ['x', 'must be a valid IP address'],
  ['0.0.0.0', 'may not be unspecified (0.0.0.0)'],
  ['::', 'may not be unspecified (::)'],
  ['127.1.2.3', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['::1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['::ffff:127.0.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['169.254.169.254', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  ['febf::1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  ['224.0.0.251', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
  ['ff02::fb', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
])('%s: %s', (text, expected) => {
  const why = validateNotSpecialIp('ip', text)[0]?.message;
  expect(why).toBe(expected === undefined ? undefined : `Invalid value: "${text}": ${expected}`);
});
