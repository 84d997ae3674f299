import { describe, expect, test } from 'vitest';
import { createProblems, decoded, updateProblems } from '../testing.ts';
import { type CustomResourceDefinition, customResourceDefinition as crd } from './custom-resource-definition.ts';
import { goSchema } from './go-shapes.ts';

const names = 'names: {plural: widgets, kind: Widget}';
const schema = '{openAPIV3Schema: {type: object}}';
const version = (more: string, name = 'v1'): string => `{name: ${name}, served: true, storage: ${name === 'v1'}, ${more}}`;
const definition = (versions: string, more = ''): string =>
  `metadata: {name: widgets.acme.io}\nspec: {group: acme.io, scope: Namespaced, ${names}, versions: [${versions}]${more === '' ? '' : `, ${more}`}}`;
const fine = definition(version(`schema: ${schema}`));
/** A definition whose only version has this schema, which also says that it is an object. */
const shaped = (members: string): string => definition(version(`schema: {openAPIV3Schema: {type: object, ${members}}}`));
const below = (property: string): string => shaped(`properties: {p: {${property}}}`);

const root = 'spec.validation.openAPIV3Schema';
const at = `${root}.properties[p]`;

describe('names, scope, group', () => {
  test.each<[string, string, string[]]>([
    ['fine', fine, []],
    [
      'nothing',
      'metadata: {name: a}\nspec: {versions: []}',
      [
        'metadata.name: Invalid value: "a": must be spec.names.plural+"."+spec.group',
        'spec.group: Required value',
        'spec.scope: Required value',
        'spec.versions: Invalid value: []: must have exactly one version marked as storage version',
        'spec.names.plural: Required value',
        'spec.names.singular: Required value',
        'spec.names.kind: Required value',
        'spec.names.listKind: Required value',
        'status.storedVersions: Invalid value: []: must have at least one stored version',
      ],
    ],
    [
      'made name',
      fine.replace('{name: widgets.acme.io}', '{name: widgets.acme.io, generateName: widgets}'),
      ['metadata.generateName: Invalid value: "widgets": must be spec.names.plural+"."+spec.group'],
    ],
    [
      'odd group and scope',
      `metadata: {name: widgets.acme}\nspec: {group: acme, scope: Galactic, ${names}, versions: [${version(`schema: ${schema}`)}]}`,
      [
        'spec.group: Invalid value: "acme": should be a domain with at least one dot',
        'spec.scope: Unsupported value: "Galactic": supported values: "Cluster", "Namespaced"',
      ],
    ],
    [
      'list kind',
      fine.replace('kind: Widget', 'kind: Widget, listKind: Widget'),
      ['spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same'],
    ],
    [
      'protected group',
      fine.replace('widgets.acme.io', 'widgets.a.k8s.io').replace('group: acme.io', 'group: a.k8s.io'),
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      'odd approval',
      fine
        .replace('widgets.acme.io', 'widgets.a.k8s.io, annotations: {api-approved.kubernetes.io: me}')
        .replace('group: acme.io', 'group: a.k8s.io'),
      [
        'metadata.annotations[api-approved.kubernetes.io]: Invalid value: "me": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      'unapproved',
      fine
        .replace('widgets.acme.io', 'widgets.a.k8s.io, annotations: {api-approved.kubernetes.io: unapproved}')
        .replace('group: acme.io', 'group: a.k8s.io'),
      [],
    ],
    [
      'unknown fields',
      definition(version(`schema: ${schema}`), 'preserveUnknownFields: true'),
      [
        'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ],
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(createProblems(crd, yaml)).toEqual(expected);
  });
});

describe('versions', () => {
  const other = version('schema: {openAPIV3Schema: {type: object, title: two}}', 'v2');
  test.each<[string, string, string[]]>([
    ['two', definition(`${version(`schema: ${schema}`)}, ${other}`), []],
    ['no schema', definition(version('')), ['spec.versions[0].schema.openAPIV3Schema: Required value']],
    [
      'one without a schema',
      definition(`${version(`schema: ${schema}`)}, ${version('', 'v2')}`),
      ['spec.versions[1].schema.openAPIV3Schema: Required value'],
    ],
    [
      'different parts are named where they are',
      definition(`${version(`schema: ${schema}`)}, ${version('schema: {openAPIV3Schema: {type: string}}', 'v2')}`),
      ['spec.versions[1].schema.openAPIV3Schema.type: Invalid value: "string": must be object at the root'],
    ],
    [
      'deprecation',
      definition(version(`schema: ${schema}, deprecationWarning: x`)),
      ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
    ],
    [
      'deprecation text',
      definition(version(`schema: ${schema}, deprecated: true, deprecationWarning: "é\\a"`)),
      [
        'spec.versions[0].deprecationWarning: Invalid value: "é\\a": must only contain printable UTF-8 characters; non-printable character found at index 2',
      ],
    ],
    [
      'scale',
      definition(
        version(
          `schema: ${schema}, subresources: {scale: {specReplicasPath: spec.replicas, statusReplicasPath: .spec.x, labelSelectorPath: .metadata.x}}`,
        ),
      ),
      [
        'spec.subresources.scale.specReplicasPath: Invalid value: "spec.replicas": must be a simple json path starting with .',
        'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.x": should be a json path under .status',
        'spec.subresources.scale.labelSelectorPath: Invalid value: ".metadata.x": should be a json path under either .spec or .status',
      ],
    ],
    [
      'columns',
      definition(version(`schema: ${schema}, additionalPrinterColumns: [{name: "", type: odd, format: odd, jsonPath: x}]`)),
      [
        'spec.additionalPrinterColumns[0].name: Required value',
        'spec.additionalPrinterColumns[0].type: Invalid value: "odd": must be one of boolean,date,integer,number,string',
        'spec.additionalPrinterColumns[0].format: Invalid value: "odd": must be one of byte,date,date-time,double,float,int32,int64,password',
        'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "x": must be a simple json path starting with .',
      ],
    ],
    [
      'fields to select by',
      definition(
        version(
          'schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string}}}}}}, selectableFields: [{jsonPath: .spec.color}, {jsonPath: .spec.color}, {jsonPath: .spec}, {jsonPath: .spec.size}, {jsonPath: spec}, {jsonPath: ".spec[0]"}]',
        ),
      ),
      [
        'spec.selectableFields[1].jsonPath: Duplicate value: ".spec.color"',
        'spec.selectableFields[2].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        'spec.selectableFields[3].jsonPath: Invalid value: ".spec.size": is an invalid path: does not refer to a valid field',
        'spec.selectableFields[4].jsonPath: Invalid value: "spec": is an invalid path: expected [ or . but got: spec',
        'spec.selectableFields[5].jsonPath: Invalid value: ".spec[0]": is an invalid path: array notation is not allowed',
      ],
    ],
    [
      'fields of maps to select by',
      definition(
        version(
          'schema: {openAPIV3Schema: {type: object, properties: {m: {type: object, additionalProperties: {type: string}}}}}, selectableFields: [{jsonPath: .m.color}, {jsonPath: .m..x}, {jsonPath: "[m]"}]',
        ),
      ),
      [
        'spec.selectableFields[1].jsonPath: Invalid value: ".m..x": is an invalid path: expected [ or . but got: x',
        'spec.selectableFields[2].jsonPath: Invalid value: "[m]": is an invalid path: array notation is not allowed',
      ],
    ],
    [
      'root beside a status',
      definition(version('schema: {openAPIV3Schema: {type: object, nullable: true}}, subresources: {status: {}}')),
      [
        `${root}: Invalid value: ${JSON.stringify({ ...goSchema({}), Type: 'object', Nullable: true })}: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled`,
        `${root}.nullable: Forbidden: nullable cannot be true at the root`,
      ],
    ],
  ])('%s', (_name, yaml, expected) => {
    const problems = createProblems(crd, yaml);
    expect(problems.toSorted()).toEqual(expected.toSorted());
  });

  test('must be told apart, and one is stored', () => {
    const texts = createProblems(crd, definition(`${version(`schema: ${schema}`)}, ${version(`schema: ${schema}`)}`));
    expect(texts.map((text) => text.replace(/\[\{.*\}\]/, '…'))).toEqual([
      'spec.versions: Invalid value: …: must contain unique version names',
      'spec.versions: Invalid value: …: must have exactly one version marked as storage version',
    ]);
  });

  test('conversion', () => {
    const converted = (more: string): string[] => createProblems(crd, definition(version(`schema: ${schema}`), `conversion: {${more}}`));
    expect(converted('strategy: Webhook, webhook: {conversionReviewVersions: [v2]}')).toEqual([
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
      'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ]);
    expect(converted('strategy: None, webhook: {conversionReviewVersions: [v1], clientConfig: {url: "https://h"}}')).toEqual([
      'spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook',
      'spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook',
    ]);
  });
});

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

describe('life', () => {
  const prepared = (): CustomResourceDefinition => {
    const object = decoded(crd, fine);
    crd.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
    return object;
  };

  test('defaults', () => {
    expect(decoded(crd, fine)).toMatchObject({
      spec: { names: { singular: 'widget', listKind: 'WidgetList' }, conversion: { strategy: 'None' } },
      status: { storedVersions: ['v1'] },
    });
    const remote = definition(
      version(`schema: ${schema}`),
      'conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: a, namespace: b}}}}',
    );
    expect(decoded(crd, remote).spec.conversion?.webhook?.clientConfig?.service?.port).toBe(443);
  });

  test('custom resources are not served yet', () => {
    expect(crd.notYet?.(prepared())).toBe('custom resources are not served');
  });

  test('what was stored once must stay a version', () => {
    const problems = updateProblems(crd, fine, (next) => {
      next.spec.versions = next.spec.versions.map((one) => ({ ...one, name: 'v2' }));
    });
    expect(problems).toEqual([
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ]);
  });

  test('what names objects stays', () => {
    const problems = updateProblems(crd, fine, (next) => {
      next.spec.group = 'b.io';
      next.spec.scope = 'Cluster';
    });
    expect(problems).toEqual(['spec.group: Invalid value: "b.io": field is immutable']);
    const prev = prepared();
    prev.status = { ...prev.status, conditions: [{ type: 'Established', status: 'True' }] } as never;
    const next = structuredClone(prev);
    next.spec.scope = 'Cluster';
    const texts = crd.validateUpdate?.(next, prev, { verb: 'update', subresource: '', nowMs: 0 }).map(({ field }) => field);
    expect(texts).toEqual(['spec.scope']);
  });

  test('formats that nobody checks are warned of once', () => {
    const object = decoded(
      crd,
      shaped('properties: {a: {type: string, format: k8s-short-name}, b: {type: integer, format: int32}, c: {type: string, format: odd}}'),
    );
    expect(crd.warnings?.(object, undefined)).toEqual(['unrecognized format "int32"', 'unrecognized format "odd"']);
    expect(crd.warnings?.(object, object)).toEqual([]);
  });
});
