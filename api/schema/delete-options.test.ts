import { describe, expect, test } from 'vitest';
import { ApiError } from '#api/meta/status.ts';
import { createCodec } from './codec.ts';
import { deleteOptionsKind } from './delete-options.ts';

const codec = createCodec();
const read = (text: string, mediaType = 'application/json') =>
  codec.decodeBody({ bytes: Buffer.from(text), mediaType }, deleteOptionsKind, 'Ignore').object;

const scheme = 'in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"';
const findKind = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

describe('DeleteOptions', () => {
  test.each([
    '{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":5}',
    '{"apiVersion":"meta.k8s.io/v1","kind":"DeleteOptions","gracePeriodSeconds":5}',
    '{"apiVersion":"apps/v1","kind":"DeleteOptions","gracePeriodSeconds":5}',
    '{"apiVersion":"nobody.example.com/v7","kind":"DeleteOptions","gracePeriodSeconds":5}',
    '{"kind":"DeleteOptions","gracePeriodSeconds":5}',
    '{"apiVersion":"batch/v1","gracePeriodSeconds":5}',
    '{"gracePeriodSeconds":5,"bogus":1,"gracePeriodSeconds":5}',
  ])('%s', (text) => {
    expect(read(text)).toMatchObject({ gracePeriodSeconds: 5 });
  });

  test.each([
    ['{"kind":"fixed"}', `no kind "fixed" is registered for version "meta.k8s.io/v1" ${scheme}`],
    ['{"apiVersion":"v1","kind":"Pod"}', `no kind "Pod" is registered for version "v1" ${scheme}`],
    ['{"apiVersion":"v1","kind":"GetOptions"}', `no kind "GetOptions" is registered for version "v1" ${scheme}`],
    ['{"kind":"APIResourceList"}', 'converting (v1.APIResourceList) to (v1.DeleteOptions): unknown conversion'],
    ['{"apiVersion":"meta.k8s.io/v1","kind":"Table"}', 'converting (v1.Table) to (v1.DeleteOptions): unknown conversion'],
    ['{"gracePeriodSeconds":"x"}', 'json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64'],
    ['{"dryRun":"All"}', 'json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type []string'],
    ['{"orphanDependents":"x"}', 'json: cannot unmarshal string into Go struct field DeleteOptions.orphanDependents of type bool'],
    ['{"kind":true}', `couldn't get version/kind; json parse error: json: cannot unmarshal bool into Go struct field .kind of type string`],
    ['[]', `couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type ${findKind}`],
    ['{', `couldn't get version/kind; json parse error: unexpected end of JSON input`],
  ])('%s is refused', (text, message) => {
    try {
      read(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ApiError);
      expect((error as ApiError).toStatus()).toMatchObject({ code: 400, reason: 'BadRequest', message });
    }
  });
});
