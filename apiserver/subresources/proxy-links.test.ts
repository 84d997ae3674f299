import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinkRewriter, rewriteLink } from './proxy-links.ts';

const rules = { prefix: '/p/proxy', targetHost: '10.0.0.1:80', requestHost: 'api:6443' };

test.each<[string, string]>([
  ['/style.css', '/p/proxy/style.css'],
  ['/', '/p/proxy/'],
  ['/a/b/?x=1#y', '/p/proxy/a/b/?x=1#y'],
  ['/a/../b', '/p/proxy/b'],
  ['http://10.0.0.1:80/a', '/p/proxy/a'],
  ['//10.0.0.1:80/a', '/p/proxy/a'],
  ['https://api:6443/a', 'https://api:6443/p/proxy/a'],
  ['/p/proxy/a', '/p/proxy/a'],
  ['https://api:6443/p/proxy/a', 'https://api:6443/p/proxy/a'],
  ['style.css', 'style.css'],
  ['../style.css', '../style.css'],
  ['#top', '#top'],
  ['?page=2', '?page=2'],
  ['https://elsewhere.example.com/a', 'https://elsewhere.example.com/a'],
  ['mailto:a@example.com', 'mailto:a@example.com'],
  ['', ''],
])('the link %s leads to %s', (link, wanted) => {
  expect(rewriteLink(link, rules)).toBe(wanted);
});

async function rewritten(page: Buffer, pieces: readonly number[] = []): Promise<Buffer> {
  const rewriter = new LinkRewriter(rules);
  let at = 0;
  for (const size of pieces) {
    rewriter.write(page.subarray(at, at + size));
    at += size;
  }
  rewriter.end(page.subarray(at));
  const chunks: Buffer[] = [];
  for await (const chunk of rewriter) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('pages', () => {
  test.each<[string, string]>([
    ['<a href="/x">', '<a href="/p/proxy/x">'],
    ["<A HREF='/x' class=b>", '<A HREF="/p/proxy/x" class=b>'],
    ['<img src=/x.png alt="a > b">', '<img src="/p/proxy/x.png" alt="a > b">'],
    ['<a href="/x?a=1&amp;b=2">', '<a href="/p/proxy/x?a=1&amp;b=2">'],
    ['<link rel="stylesheet" href="/x"/>', '<link rel="stylesheet" href="/p/proxy/x"/>'],
    ['<div href="/x">', '<div href="/x">'],
    ['<!-- <a href="/x"> -->', '<!-- <a href="/x"> -->'],
    [
      '<script src="/x.js">let a = \'<a href="/x">\';</script><a href="/y">',
      '<script src="/p/proxy/x.js">let a = \'<a href="/x">\';</script><a href="/p/proxy/y">',
    ],
    ['a < b <a href="/x">é</a>', 'a < b <a href="/p/proxy/x">é</a>'],
    ['<a href="/x', '<a href="/x'],
  ])('%s', async (page, wanted) => {
    expect((await rewritten(Buffer.from(page))).toString()).toBe(wanted);
  });

  test('come out the same however they arrive', async () => {
    const page = Buffer.from(
      '<html><title><a href="/t"></title><!-- <a href="/x"> --><a href="/x" id=\'>\'>a &lt; b < c</a><form action=/f></form>é',
    );
    const whole = await rewritten(page);
    expect(whole.toString()).toContain('<a href="/p/proxy/x" id=\'>\'>');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }), async (pieces) => {
        expect((await rewritten(page, pieces)).equals(whole)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('what is no page passes byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, at) => (at * 7) % 256).filter((byte) => byte !== 60));
    expect((await rewritten(bytes, [100, 300])).equals(bytes)).toBe(true);
  });

  test('an endless tag is let through', async () => {
    const page = Buffer.from(`<a ${'x'.repeat(200_000)}`);
    expect((await rewritten(page, [70_000])).equals(page)).toBe(true);
  });
});
