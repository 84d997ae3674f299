import { expect, test } from 'vitest';
import { configMap } from '#api/core/config-map.ts';
import { ApiError } from '#api/meta/status.ts';
import { maxBodyValues } from './body-limits.ts';
import { createCodec } from './codec.ts';
import { parseJsonBody } from './json.ts';
import { parseYaml } from './yaml.ts';

const codec = createCodec();
const repeated = (text: string, count: number): string => Array.from({ length: count }, () => text).join(',');

/** A ConfigMap whose metadata holds that many finalizers, as protobuf. */
function protobufWith(finalizers: number): Buffer {
  const metadata = Buffer.from('\x72\x01a'.repeat(finalizers), 'latin1');
  const raw = Buffer.concat([Buffer.from([0x0a]), varint(metadata.length), metadata]);
  return Buffer.concat([Buffer.from('k8s\0\x12', 'latin1'), varint(raw.length), raw]);
}

function varint(value: number): Buffer {
  const bytes = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}

test.each<[string, string, number]>([
  ['texts', '""', maxBodyValues],
  ['numbers', '1', maxBodyValues],
  ['empty lists', '[]', maxBodyValues / 2],
  ['empty objects', '{}', maxBodyValues / 2],
  ['small objects', '{"a":1,"b":"{,[,"}', maxBodyValues / 3 - 1],
])('a body of %s may hold a hundred thousand values, and no more', (_name, item, count) => {
  const fits = Buffer.from(`{"a":[${repeated(item, Math.floor(count) - 1)}]}`);
  const more = Buffer.from(`{"a":[${repeated(item, Math.ceil(count) + 2)}]}`);
  expect(() => parseJsonBody(fits)).not.toThrow();
  for (const parse of [parseJsonBody, parseYaml]) {
    expect(() => parse(more)).toThrowError(
      expect.objectContaining({ code: 413, message: `Request entity too large: limit is ${maxBodyValues} values` }),
    );
  }
});

test('what is refused is refused before anything is made of it', () => {
  // No JSON at all: who parsed it would say so.
  expect(() => parseJsonBody(Buffer.from('[],'.repeat(maxBodyValues)))).toThrow(ApiError);
  expect(() => parseJsonBody(Buffer.from('['.repeat(maxBodyValues + 1)))).toThrow('exceeded max depth');
});

test('protobuf is counted as well', () => {
  const decode = (count: number): unknown => {
    const body = { bytes: protobufWith(count), mediaType: 'application/vnd.kubernetes.protobuf' };
    return codec.decodeBody(body, configMap, 'Ignore').object.metadata.finalizers?.length;
  };
  expect(decode(1_000)).toBe(1_000);
  expect(() => decode(maxBodyValues + 1)).toThrowError(
    expect.objectContaining({ code: 413, message: `Request entity too large: limit is ${maxBodyValues} values` }),
  );
});
