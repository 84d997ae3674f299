import { expect, test } from 'vitest';
import {
  cidrWarnings,
  ipFamilyOf,
  ipWarnings,
  isCidr,
  validateCidr,
  validateInterfaceAddress,
  validateIp,
  validateNotSpecialIp,
} from './ip.ts';

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
  // Refused elsewhere, where it is new.
  ['010.0.0.1', undefined],
  ['0127.0.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['224.0.0.251', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
  ['ff02::fb', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
])('%s: %s', (text, expected) => {
  const why = validateNotSpecialIp('ip', text)[0]?.message;
  expect(why).toBe(expected === undefined ? undefined : `Invalid value: "${text}": ${expected}`);
});

const noIp = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

test.each<[string, string | undefined]>([
  ['10.1.2.3', undefined],
  ['2001:db8::1', undefined],
  ['2001:0DB8::0001', undefined],
  ['010.1.2.3', 'must not have leading 0s'],
  ['::ffff:1.2.3.04', 'must not have leading 0s'],
  ['02001:db8::00001', 'must not have leading 0s'],
  ['12001:db8::1', noIp],
  ['::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
  ['300.1.2.3', noIp],
  ['fe80::1%eth0', noIp],
  ['', noIp],
])('the address %s: %s', (text, why) => {
  const expected = why === undefined ? [] : [{ type: 'FieldValueInvalid', field: 'f', message: `Invalid value: "${text}": ${why}` }];
  expect(validateIp('f', text)).toEqual(expected);
  expect(validateIp('f', text, ['::', text])).toEqual([]);
});

const noCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

test.each<[string, string | undefined]>([
  ['10.0.0.0/8', undefined],
  ['10.0.0.1/32', undefined],
  ['2001:db8::/64', undefined],
  ['0.0.0.0/0', undefined],
  ['10.0.0.1/8', 'must not have bits set beyond the prefix length'],
  ['2001:db8::1/64', 'must not have bits set beyond the prefix length'],
  ['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'],
  ['010.0.0.0/8', 'must not have leading 0s in IP or prefix length'],
  ['2001:00db8::/32', 'must not have leading 0s in IP or prefix length'],
  ['::ffff:10.0.0.0/104', 'must not have an IPv4-mapped IPv6 address'],
  ['10.0.0.0', noCidr],
  ['10.0.0.0/33', noCidr],
  ['10.0.0.0/8/8', noCidr],
])('the network %s: %s', (text, why) => {
  const expected = why === undefined ? [] : [{ type: 'FieldValueInvalid', field: 'f', message: `Invalid value: "${text}": ${why}` }];
  expect(validateCidr('f', text)).toEqual(expected);
  expect(validateCidr('f', text, [text])).toEqual([]);
});

test.each<[string, string | undefined]>([
  ['1.2.3.4/24', undefined],
  ['2001:DB8::1/64', 'must be in canonical form ("2001:db8::1/64")'],
  ['01.2.3.4/032', 'must be in canonical form ("1.2.3.4/32")'],
  ['::ffff:1.2.3.4/120', 'must be in canonical form ("1.2.3.4/24")'],
  ['1.2.3.4', 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'],
])('the address of an interface %s: %s', (text, why) => {
  expect(validateInterfaceAddress('f', text).map(({ message }) => message)).toEqual(
    why === undefined ? [] : [`Invalid value: "${text}": ${why}`],
  );
});

test.each<[string, string[]]>([
  ['192.12.2.2', []],
  ['192.012.2.2', ['f: non-standard IP address "192.012.2.2" is invalid: use "192.12.2.2"']],
  ['::ffff:192.12.2.2', ['f: non-standard IP address "::ffff:192.12.2.2" is invalid: use "192.12.2.2"']],
  ['2001:DB8::1', ['f: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']],
])('warnings about the address %s', (text, expected) => {
  expect(ipWarnings('f', text)).toEqual(expected);
});

const notStandard = (text: string, usual: string): string => `f: non-standard CIDR value "${text}" is invalid: use "${usual}"`;

test.each<[string, string[]]>([
  ['192.12.2.0/24', []],
  ['192.012.2.0/24', [notStandard('192.012.2.0/24', '192.12.2.0/24')]],
  ['192.12.2.0/024', [notStandard('192.12.2.0/024', '192.12.2.0/24')]],
  ['::ffff:192.12.2.0/120', [notStandard('::ffff:192.12.2.0/120', '192.12.2.0/24')]],
  [
    '192.012.2.8/24',
    [
      'f: CIDR value "192.012.2.8/24" is ambiguous in this context (should be "192.12.2.0/24" or "192.12.2.8/32"?)',
      notStandard('192.012.2.8/24', '192.12.2.0/24'),
    ],
  ],
  ['2001:DB8::/64', ['f: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")']],
  ['nothing', []],
])('warnings about the network %s', (text, expected) => {
  expect(cidrWarnings('f', text)).toEqual(expected);
});
