import { describe, expect, it } from 'vitest';
import { type ImageReference, parseReference } from './reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each<[string, Omit<ImageReference, 'text'> & { text?: string }]>([
    ['nginx', { registry: 'docker.io', path: 'library/nginx', tag: 'latest', digest: undefined, text: 'nginx:latest' }],
    ['coxswain/hello:1', { registry: 'docker.io', path: 'coxswain/hello', tag: '1', digest: undefined }],
    ['localhost/a', { registry: 'localhost', path: 'a', tag: 'latest', digest: undefined, text: 'localhost/a:latest' }],
    ['reg.example.com:5000/a/b_c/d-e:v1.2', { registry: 'reg.example.com:5000', path: 'a/b_c/d-e', tag: 'v1.2', digest: undefined }],
    [`a@${digest}`, { registry: 'docker.io', path: 'library/a', tag: undefined, digest }],
    [`a:1@${digest}`, { registry: 'docker.io', path: 'library/a', tag: '1', digest }],
    ['index.docker.io/a/b', { registry: 'docker.io', path: 'a/b', tag: 'latest', digest: undefined, text: 'index.docker.io/a/b:latest' }],
    ['[fe80::1]:5000/a:1', { registry: '[fe80::1]:5000', path: 'a', tag: '1', digest: undefined }],
  ])('%s', (text, wanted) => {
    expect(parseReference(text)).toEqual({ text, ...wanted });
  });

  it.each([
    ['', 'invalid reference format'],
    ['FAILED-IMAGE', 'invalid reference format: repository name (library/FAILED-IMAGE) must be lowercase'],
    ['a:', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['http://a/b', 'invalid reference format'],
    ['a@sha256:12', 'invalid reference format'],
    ['f'.repeat(64), `invalid repository name (${'f'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
    [`${'a'.repeat(256)}`, 'repository name must not be more than 255 characters'],
  ])('refuses %j', (text, why) => {
    expect(() => parseReference(text)).toThrow(`couldn't parse image name ${JSON.stringify(text)}: ${why}`);
  });
});
