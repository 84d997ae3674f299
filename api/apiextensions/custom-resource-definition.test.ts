import { describe, expect, test } from 'vitest';
import { createProblems, decoded, updateProblems } from '../testing.ts';
import { type CustomResourceDefinition, customResourceDefinition as crd } from './custom-resource-definition.ts';
import { goSchema } from './go-shapes.ts';
import { names, schema, version, definition, fine, shaped, root } from './testing.ts';

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
