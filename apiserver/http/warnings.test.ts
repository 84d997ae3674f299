import { expect, test } from 'vitest';
import { warningHeaders } from './warnings.ts';

test('warnings are quoted; those that no header can carry are left out, as upstream does', () => {
  expect(warningHeaders(['', 'say "a\\b"', 'X\r\nY: z', 'after', 'a\u0085b'])).toEqual(['299 - "say \\"a\\\\b\\""', '299 - "after"']);
  expect(warningHeaders(['\n'])).toEqual([]);
});

test('warnings are whole as long as they fit together', () => {
  expect(warningHeaders(['é'.repeat(2_000), 'b'.repeat(2_096)]).map((header) => Buffer.from(header, 'latin1').toString().length)).toEqual([
    2_008, 2_104,
  ]);
});

test('else each is cut by runes, and no more come than fit', () => {
  const headers = warningHeaders(['😀'.repeat(300), ...Array.from({ length: 40 }, (_, at) => `${at} ${'x'.repeat(300)}`)]);
  expect(headers).toHaveLength(16);
  expect(Buffer.from(headers[0] ?? '', 'latin1').toString()).toBe(`299 - "${'😀'.repeat(256)}"`);
  expect(headers[1]).toBe(`299 - "0 ${'x'.repeat(254)}"`);
});
