import { expect, test } from 'vitest';
import { isBelow, pointsIn } from './mount-points.ts';

test('mount points are read the last first, with what the kernel writes in octal', () => {
  const text =
    '22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n' +
    '36 22 0:31 / /var/lib/a\\040b\\134c rw shared:3 - tmpfs tmpfs rw\n' +
    '40 36 0:32 /x /var/lib/a\\040b\\134c/d ro - tmpfs tmpfs rw\n';
  expect(pointsIn(text)).toEqual(['/var/lib/a b\\c/d', '/var/lib/a b\\c', '/']);
});

test('a name that begins like another is not below it', () => {
  expect(['/a/b', '/a/b/c', '/a/bc', '/a'].map((path) => isBelow(path, '/a/b'))).toEqual([true, true, false, false]);
});
