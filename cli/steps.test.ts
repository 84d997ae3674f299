import { describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { createSteps, type Steps } from './steps.ts';

function aStream(options: { isTTY?: boolean; columns?: number }): { steps: Steps; clock: FakeClock; written: string[] } {
  const written: string[] = [];
  const clock = new FakeClock();
  return { steps: createSteps({ ...options, write: (text) => written.push(text) }, clock), clock, written };
}
// oxlint-disable-next-line no-control-regex -- what terminals read are control characters
const plain = (text: string): string => text.replaceAll(/\r?\u001b\[[0-9;]*[A-Za-z]/g, '');

describe('in a file', () => {
  test('finished steps only, with the time of those that took some', async () => {
    const { steps, clock, written } = aStream({});
    await steps.step('quick', (detail) => detail('half'));
    await steps.step('slow', () => clock.advance(1_250));
    steps.note('by the way');
    await expect(steps.step('bad', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(written.join('')).toBe('✓ quick\n✓ slow (1.3 s)\nby the way\n✗ bad\n');
  });
});

describe('in a terminal', () => {
  test('the running step is shown with what it waits for, and replaced by its end', async () => {
    const { steps, written } = aStream({ isTTY: true, columns: 80 });
    await steps.step('node is Ready', (detail) => {
      detail('no CNI yet');
      detail('no CNI yet');
    });
    expect(written.map(plain)).toEqual(['… node is Ready', '… node is Ready: no CNI yet', '✓ node is Ready\n']);
    expect(written.every((text) => text.startsWith('\r\u001b[2K'))).toBe(true);
  });

  test('a terminal that does not know its width', async () => {
    const { steps, written } = aStream({ isTTY: true, columns: 0 });
    await steps.step('node is Ready', () => undefined);
    expect(plain(written[0] ?? '')).toBe('… node is Ready');
  });

  test.each([20, 40, 80])('no line wraps in %d columns, whatever is waited for', async (columns) => {
    const { steps, written } = aStream({ isTTY: true, columns });
    await steps.step('API server answers', (detail) => detail(`connect ECONNREFUSED\n  ${'ü'.repeat(100)}`));
    for (const text of written.slice(0, -1)) {
      expect(Array.from(plain(text)).length).toBeLessThan(columns);
      expect(plain(text)).not.toContain('\n');
    }
    expect(plain(written.at(-2) ?? '')).toMatch(/…$/);
  });
});
