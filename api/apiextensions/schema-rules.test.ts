import { describe, expect, test } from 'vitest';
import { createProblems, decoded } from '../testing.ts';
import { customResourceDefinition as crd } from './custom-resource-definition.ts';
import { goSchema } from './go-shapes.ts';
import { at, below, fine, root, shaped } from './testing.ts';

describe('schemas', () => {
  test.each<[string, string, string[]]>([
    ['whole', below('type: array, items: {type: string}, x-kubernetes-list-type: set'), []],
    ['no type', below(''), [`${at}.type: Required value: must not be empty for specified object fields`]],
    ['no items', below('type: array'), [`${at}.items: Required value: must be specified`]],
    ['untyped items', below('type: array, items: {}'), [`${at}.items.type: Required value: must not be empty for specified array items`]],
    [
      'odd type',
      below('type: odd'),
      [`${at}.type: Unsupported value: "odd": supported values: "array", "boolean", "integer", "number", "object", "string"`],
    ],
    ['anything', below('x-kubernetes-preserve-unknown-fields: true'), []],
    ['a number or a text', below('x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], pattern: x'), []],
    [
      'types in judgements',
      below('type: string, anyOf: [{type: string, default: x}]'),
      [
        `${at}.anyOf[0].default: Forbidden: must be undefined to be structural`,
        `${at}.anyOf[0].type: Forbidden: must be empty to be structural`,
      ],
    ],
    [
      'judging what is not there',
      shaped('allOf: [{properties: {q: {minLength: 1}}}]'),
      [`${root}.properties[q]: Required value: because it is defined in ${root}.allOf[0].properties[q]`],
    ],
    [
      'metadata',
      shaped('properties: {metadata: {type: object, properties: {labels: {type: object}}}}'),
      [
        `${root}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    ],
    ['names of metadata', shaped('properties: {metadata: {type: object, properties: {name: {type: string, pattern: x}}}}'), []],
    ['kind', shaped('properties: {kind: {type: integer}}'), [`${root}.properties[kind].type: Invalid value: "integer": must be string`]],
    [
      'map at the root',
      shaped('additionalProperties: {type: string}'),
      [`${root}.additionalProperties: Forbidden: must not be used at the root`],
    ],
    [
      'map and properties',
      below('type: object, properties: {q: {type: string}}, additionalProperties: false'),
      [`${at}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
    ],
    [
      'embedded',
      below('type: object, x-kubernetes-embedded-resource: true'),
      [
        `${at}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      ],
    ],
    [
      'what is not supported',
      below('type: string, $ref: "#/x", definitions: {a: {type: string}}, uniqueItems: true'),
      [
        `${at}.definitions: Forbidden: definitions is not supported`,
        `${at}.$ref: Forbidden: $ref is not supported`,
        `${at}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
      ],
    ],
    [
      'the schema of a schema',
      below('type: string, $schema: x'),
      [`${root}: Invalid value: "": OpenAPIV3Schema 'schema' is not supported`],
    ],
    [
      'defaults of metadata',
      shaped('properties: {kind: {type: string, default: x}}'),
      [`${root}.properties[kind].default: Forbidden: must not be set in top-level kind`],
    ],
    [
      'list types',
      below('type: string, x-kubernetes-list-type: odd'),
      [
        `${at}.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`,
        `${at}.x-kubernetes-list-type: Unsupported value: "odd": supported values: "atomic", "set", "map"`,
      ],
    ],
    [
      'sets of objects',
      below('type: array, items: {type: object, nullable: true}, x-kubernetes-list-type: set'),
      [
        `${at}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
        `${at}.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set`,
      ],
    ],
    [
      'a list of schemas for a map',
      below('type: array, items: [{type: object}], x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k]'),
      [
        `${at}.items: Forbidden: items must be a schema object and not an array`,
        `${at}.items: Invalid value: ${JSON.stringify({ Schema: null, JSONSchemas: [{ ...goSchema({}), Type: 'object' }] })}: must only have a single schema if x-kubernetes-list-type is map`,
      ],
    ],
    [
      'lists by key',
      below(
        'type: array, items: {type: object, properties: {k: {type: object, nullable: true}}}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k, k, m]',
      ),
      [
        `${at}.items.properties[k].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
        `${at}.items.properties[k].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
        `${at}.x-kubernetes-list-map-keys: Invalid value: ["k","k","m"]: must not contain duplicate entries`,
        `${at}.x-kubernetes-list-map-keys: Invalid value: ["k","k","m"]: entries must all be names of item properties`,
        ...Array.from({ length: 2 }, () => [
          `${at}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
          `${at}.items.properties[k].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable`,
        ]).flat(),
      ],
    ],
    [
      'keys of no map',
      below('type: array, items: {type: string}, x-kubernetes-list-map-keys: [k]'),
      [`${at}.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty`],
    ],
    [
      'expressions',
      below('type: string, x-kubernetes-validations: [{rule: " "}, {rule: x, message: " ", reason: Odd}, {rule: "x\\ny"}]'),
      [
        `${at}.x-kubernetes-validations[0].rule: Required value: rule is not specified`,
        `${at}.x-kubernetes-validations[1].message: Invalid value: " ": must be non-empty if specified`,
        `${at}.x-kubernetes-validations[1].reason: Unsupported value: "Odd": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
        `${at}.x-kubernetes-validations[2].message: Required value: message must be specified if rule contains line breaks`,
      ],
    ],
    [
      'fields of expressions',
      below(
        `type: object, properties: {a: {type: string}, m: {type: object, additionalProperties: {type: object, properties: {x: {type: string}}}}}, x-kubernetes-validations: [${[
          '.a',
          "['a']",
          '.m.any.x',
          ".m['a.b'].x",
          'a',
          '.b',
          '.m.any.y',
          '.a.',
          '.m[0]',
          ".m['k'",
        ]
          .map((path) => `{rule: x, fieldPath: ${JSON.stringify(path)}}`)
          .join()}]`,
      ),
      ['a', '.b', '.m.any.y', '.a.', '.m[0]', ".m['k'"].map(
        (path, index) => `${at}.x-kubernetes-validations[${index + 4}].fieldPath: Invalid value: "${path}": must be a valid path`,
      ),
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(createProblems(crd, yaml).toSorted()).toEqual(expected.toSorted());
  });

  test('may be as deep as they like', () => {
    const object = decoded(crd, fine);
    let deep: object = { type: 'string' };
    for (let depth = 0; depth < 20_000; depth++) deep = { type: 'array', items: deep };
    object.spec.versions[0] = {
      name: 'v1',
      served: true,
      storage: true,
      schema: { openAPIV3Schema: { type: 'object', properties: { p: deep } } },
    };
    object.status = { storedVersions: ['v1'] } as never;
    expect(crd.validate?.(object, { verb: 'create', subresource: '', nowMs: 0 })).toEqual([]);
  });
});
