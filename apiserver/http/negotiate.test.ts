import { describe, expect, test } from 'vitest';
import { errorEncoding, Negotiator, type Offer, type Wanted } from './negotiate.ts';

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
  [
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json',
    { encoding: 'protobuf', form: 'partial' },
  ],
  ['application/vnd.kubernetes.protobuf', { encoding: 'protobuf', form: 'object', stream: false }],
  ['application/vnd.kubernetes.protobuf;stream=watch', { encoding: 'protobuf', stream: true }],
  ['application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1, application/json', { encoding: 'json', form: 'object' }],
  ['application/vnd.kubernetes.protobuf, */*;q=0.1', { encoding: 'json', form: 'object' }],
  ['application/json;q=0.5, application/yaml;q=0.9', { encoding: 'yaml' }],
  ['application/json;stream=watch', { encoding: 'json', stream: true }],
  ['application/json;as=Unknown;g=meta.k8s.io;v=v1, application/json', { form: 'object' }],
  ['*', { encoding: 'json' }],
  ['*/*, application/yaml', { encoding: 'yaml' }],
  ['application/*, application/yaml', { encoding: 'yaml' }],
  ['*/*;q=0.9, application/yaml;q=0.5', { encoding: 'yaml' }],
  ['application/yaml;q=0.5, */*', { encoding: 'json' }],
  ['application/yaml;q=0.5, application/json;q=x', { encoding: 'yaml' }],
  ['application/json;q=0', { encoding: 'json' }],
  ['text/html, application/json;q=0, application/yaml;q=0.1', { encoding: 'yaml' }],
  ['application/json;sv=v1', { encoding: 'json' }],
  ['application/json;sv=v2, application/yaml', { encoding: 'yaml' }],
  ['application/yaml;stream=watch, application/json', { encoding: 'json', stream: false }],
  ['application/json;as="Table";v=v1;g=meta.k8s.io, application/yaml', { encoding: 'yaml', form: 'object' }],
];

describe('negotiation', () => {
  test.each(cases)('%s', (accept, expected) => {
    expect(new Negotiator().negotiate(accept)).toMatchObject(expected);
  });

  test.each<[string, Offer, string]>([
    ['text/html', 'all', 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    ['json', 'all', 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    ['Application/JSON', 'all', 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    ['application/json;v=v1', 'all', 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    ['application/json;stream=other', 'all', 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
    [
      'application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1',
      'all',
      'application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ],
    ['application/vnd.kubernetes.protobuf', 'text', 'application/json, application/yaml'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io', 'no-table', 'application/json, application/yaml, application/vnd.kubernetes.protobuf'],
  ])('nothing for %s of what is offered: %s', (accept, offer, accepted) => {
    const negotiator = new Negotiator();
    // Twice: the second answer comes from memory.
    for (let time = 0; time < 2; time++) {
      expect(() => negotiator.negotiate(accept, offer)).toThrow(
        expect.objectContaining({ code: 406, message: `only the following media types are accepted: ${accepted}` }),
      );
    }
  });

  test('where there are no tables the next best is taken', () => {
    expect(new Negotiator().negotiate(kubectlTable, 'no-table')).toMatchObject({ encoding: 'json', form: 'object' });
  });

  test('metadata can be had in protobuf of everything', () => {
    const accept = 'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    expect(new Negotiator().negotiate(accept, 'text')).toMatchObject({ encoding: 'protobuf', form: 'partial' });
  });

  test.each<[string | undefined, string]>([
    [undefined, 'json'],
    ['application/vnd.kubernetes.protobuf', 'protobuf'],
    ['application/vnd.kubernetes.protobuf,application/json', 'json'],
    ['application/yaml', 'yaml'],
    ['text/html', 'json'],
  ])('errors for %s are in %s', (accept, encoding) => {
    expect(errorEncoding(accept)).toBe(encoding);
  });
});
