import { describe, expect, test } from 'vitest';
import { Negotiator, type Wanted } from './negotiate.ts';

const kubectlTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

const cases: [string, Partial<Wanted>][] = [
  ['*/*', { encoding: 'json', form: 'object' }],
  ['application/json', { encoding: 'json', form: 'object' }],
  ['application/yaml', { encoding: 'yaml', form: 'object' }],
  [kubectlTable, { encoding: 'json', form: 'table', formVersion: 'v1' }],
  ['application/vnd.kubernetes.protobuf,application/json', { encoding: 'json', form: 'object' }],
  [
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    { form: 'partial' },
  ],
  ['application/json;q=0.5, application/yaml;q=0.9', { encoding: 'yaml' }],
  ['application/json;stream=watch', { encoding: 'json', stream: true }],
  ['application/json;as=Unknown;g=meta.k8s.io;v=v1, application/json', { form: 'object' }],
];

describe('negotiation', () => {
  test.each(cases)('%s', (accept, expected) => {
    expect(new Negotiator().negotiate(accept)).toMatchObject(expected);
  });

  test.each(['application/vnd.kubernetes.protobuf', 'text/html', 'application/json;q=0'])('nothing for %s', (accept) => {
    const negotiator = new Negotiator();
    // Twice: the second answer comes from memory.
    for (let time = 0; time < 2; time++) {
      expect(() => negotiator.negotiate(accept)).toThrow(
        expect.objectContaining({
          code: 406,
          message: 'only the following media types are accepted: application/json, application/yaml',
        }),
      );
    }
  });
});
