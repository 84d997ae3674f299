import { describe, expect, test } from 'vitest';
import type { V1DeviceClaim } from '#api/generated/types.ts';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { deviceClass } from './device-class.ts';
import { resourceClaim } from './resource-claim.ts';
import { resourceClaimTemplate } from './resource-claim-template.ts';

const meta = 'metadata: {name: a, namespace: n}';
const claim = (devices: string): string => `${meta}\nspec: {devices: {${devices}}}`;
const request = (more: string): string => claim(`requests: [{name: r, exactly: {deviceClassName: c, ${more}}}]`);
const one = 'requests: [{name: r, exactly: {deviceClassName: c}}]';
const reference = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
const identifier =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";

describe('ResourceClaim', () => {
  test.each<[string, string, string[]]>([
    ['fine', claim(`${one}, constraints: [{matchAttribute: d.io/x}], config: [{opaque: {driver: d.io, parameters: {}}}]`), []],
    ['nothing wanted', claim(''), []],
    [
      'no kind of request',
      claim('requests: [{name: r}]'),
      ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
    ],
    [
      'both kinds of request',
      claim('requests: [{name: r, exactly: {deviceClassName: c}, firstAvailable: [{name: s, deviceClassName: c}]}]'),
      [
        'spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
      ],
    ],
    [
      'repeated request',
      claim('requests: [{name: r, exactly: {deviceClassName: c}}, {name: r, exactly: {deviceClassName: c}}]'),
      ['spec.devices.requests[1]: Duplicate value: "r"'],
    ],
    [
      'too many sub-requests',
      claim(
        `requests: [{name: r, firstAvailable: [${Array.from({ length: 9 }, (_, at) => `{name: s${at}, deviceClassName: c}`).join()}]}]`,
      ),
      ['spec.devices.requests[0].firstAvailable: Too many: 9: must have at most 8 items'],
    ],
    ['no class', claim('requests: [{name: r, exactly: {}}]'), ['spec.devices.requests[0].exactly.deviceClassName: Required value']],
    [
      'a count of all',
      request('allocationMode: All, count: 2'),
      ["spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"],
    ],
    ['no count', request('count: -1'), ['spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero']],
    [
      'mode',
      request('allocationMode: Some'),
      ['spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"'],
    ],
    [
      'tolerations',
      request('tolerations: [{operator: Exists, value: v}, {operator: Maybe}, {operator: Equal, effect: Never}]'),
      [
        'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "v": must be empty for operator `Exists`',
        'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Maybe": supported values: "Equal", "Exists"',
        'spec.devices.requests[0].exactly.tolerations[2].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
      ],
    ],
    [
      'selectors',
      request(`selectors: [{}, {cel: {expression: ${'x'.repeat(10_241)}}}]`),
      [
        'spec.devices.requests[0].exactly.selectors[0].cel: Required value',
        'spec.devices.requests[0].exactly.selectors[1].cel.expression: Too long: may not be more than 10240 bytes',
      ],
    ],
    [
      'constraints',
      claim(`${one}, constraints: [{}, {matchAttribute: x}, {distinctAttribute: d.io/-, requests: [r, s, r/s/t]}]`),
      [
        'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
        'spec.devices.constraints[1].matchAttribute: Invalid value: "x": a fully qualified name must be a domain and a name separated by a slash',
        `spec.devices.constraints[2].requests[1]: Invalid value: "s": ${reference}`,
        `spec.devices.constraints[2].requests[2]: Invalid value: "r/s/t": ${reference}`,
        `spec.devices.constraints[2].distinctAttribute: Invalid value: "-": ${identifier}`,
      ],
    ],
    [
      'config',
      claim(`${one}, config: [{}, {opaque: {driver: d.io, parameters: []}}]`),
      [
        'spec.devices.config[0].opaque: Required value',
        'spec.devices.config[1].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      ],
    ],
  ])('create: %s', (_name, yaml, expected) => {
    expect(createProblems(resourceClaim, yaml)).toEqual(expected);
  });

  test('one device unless told otherwise', () => {
    const { spec } = decoded(
      resourceClaim,
      claim(
        `requests: [{name: r, firstAvailable: [{name: s, deviceClassName: c}]}, {name: t, exactly: {deviceClassName: c, allocationMode: All}}]`,
      ),
    );
    expect(spec.devices?.requests?.[0]?.firstAvailable?.[0]).toMatchObject({ allocationMode: 'ExactCount', count: 1 });
    expect(spec.devices?.requests?.[1]?.exactly).not.toHaveProperty('count');
  });

  test('taints are tolerated by value unless told otherwise', () => {
    const yaml = `${request('tolerations: [{key: a, value: b}, {operator: Exists}]')}\nstatus: {allocation: {devices: {results: [{request: r, driver: d.io, pool: p, device: x, tolerations: [{}]}]}}}`;
    const { spec, status } = decoded(resourceClaim, yaml);
    expect(spec.devices?.requests?.[0]?.exactly?.tolerations).toEqual([
      { key: 'a', operator: 'Equal', value: 'b' },
      { operator: 'Exists' },
    ]);
    expect(status?.allocation?.devices?.results?.[0]?.tolerations).toEqual([{ operator: 'Equal' }]);
    expect(createProblems(resourceClaim, yaml)).toEqual([]);
    const listed = claim('requests: [{name: r, firstAvailable: [{name: s, deviceClassName: c, tolerations: [{effect: NoSchedule}]}]}]');
    expect(createProblems(resourceClaim, listed)).toEqual([]);
    expect(createProblems(resourceClaimTemplate, listed.replace('spec: {', 'spec: {spec: {').concat('}'))).toEqual([]);
  });

  test('what is claimed stays', () => {
    const problems = updateProblems(resourceClaim, claim(one), ({ spec }) => void (spec.devices = {}));
    expect(problems).toEqual(['spec: Invalid value: {"Devices":{"Requests":null,"Constraints":null,"Config":null}}: field is immutable']);
    const template = (devices: string): string => `${meta}\nspec: {metadata: {labels: {a: b}}, spec: {devices: {${devices}}}}`;
    const changed = updateProblems(resourceClaimTemplate, template(one), ({ spec }) => {
      const [first] = spec.spec.devices?.requests ?? [];
      if (first?.exactly !== undefined) first.exactly.selectors = [{ cel: { expression: 'true' } }];
    });
    expect(changed).toEqual([
      'spec: Invalid value: {"labels":{"a":"b"},"Spec":{"Devices":{"Requests":[{"Name":"r","Exactly":{"DeviceClassName":"c","Selectors":[{"CEL":{"Expression":"true"}}],"AllocationMode":"ExactCount","Count":1,"AdminAccess":null,"Tolerations":null,"Capacity":null},"FirstAvailable":null}],"Constraints":null,"Config":null}}}: field is immutable',
    ]);
  });

  test('what is wrong with another claim than the one that was made is told, too', () => {
    const select = (spec: { devices?: V1DeviceClaim }): void => {
      const exactly = spec.devices?.requests?.[0]?.exactly;
      if (exactly !== undefined) exactly.selectors = [{ cel: { expression: 'device.driver' } }];
    };
    const problem =
      'requests[0].exactly.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string';
    const [, ...ofClaim] = updateProblems(resourceClaim, claim(one), ({ spec }) => select(spec));
    expect(ofClaim).toEqual([`spec.devices.${problem}`]);
    const template = `${meta}\nspec: {spec: {devices: {${one}}}}`;
    const [, ...ofTemplate] = updateProblems(resourceClaimTemplate, template, ({ spec }) => select(spec.spec));
    expect(ofTemplate).toEqual([`spec.spec.devices.${problem}`]);
  });

  test('as many tolerations as one likes', () => {
    const many = Array.from({ length: 17 }, () => '{operator: Exists}').join();
    expect(createProblems(resourceClaim, request(`tolerations: [${many}]`))).toEqual([]);
  });

  const selector = (expression: string): string => request(`selectors: [{cel: {expression: ${JSON.stringify(expression)}}}]`);
  const field = 'spec.devices.requests[0].exactly.selectors[0].cel.expression';

  test.each([
    'device.driver == "dra.example.com"',
    'device.attributes["dra.example.com"].healthy',
    'cel.bind(dra, device.attributes["dra.example.com"], dra.version.isGreaterThan(semver("1.2.0")) && dra.?model.orValue("") != "")',
    'device.capacity["dra.example.com"].memory.compareTo(quantity("10Gi")) >= 0 && !device.allowMultipleAllocations',
  ])('takes the selector %s', (expression) => expect(createProblems(resourceClaim, selector(expression))).toEqual([]));

  test.each([
    ['', 'Invalid value: "": compilation failed: ERROR: <input>:1:0: Syntax error: mismatched input \'<EOF>\' expecting '],
    [
      'device.speed > 1',
      'Invalid value: "device.speed > 1": compilation failed: ERROR: <input>:1:7: undefined field \'speed\'\n | device.speed > 1\n | ......^',
    ],
    ['device.driver', 'Invalid value: "device.driver": must evaluate to bool or the unknown type, not string'],
    ['device.driver.find("(") != ""', 'Internal error: program instantiation failed: error parsing regexp: missing closing ): `(`'],
    [
      'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, a + b + c != "")))',
      'Forbidden: too complex, exceeds cost limit',
    ],
  ])('refuses the selector %j', (expression, problem) => {
    const [found = '', ...more] = createProblems(resourceClaim, selector(expression));
    expect(found.slice(0, field.length + 2 + problem.length)).toBe(`${field}: ${problem}`);
    expect(more).toEqual([]);
  });
});

describe('status of a ResourceClaim', () => {
  const result = { request: 'r', driver: 'd.io', pool: 'p', device: 'x' };
  const allocation = { devices: { results: [result] } };
  const user = { resource: 'pods', name: 'a', uid: 'u' };
  const device = { driver: 'd.io', pool: 'p', device: 'x' };

  test.each<[string, object, string[]]>([
    ['fine', { allocation, reservedFor: [user], devices: [device] }, []],
    ['used, not allocated', { reservedFor: [user] }, ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set']],
    [
      'nameless user',
      { allocation, reservedFor: [{ resource: 'pods', name: '', uid: '' }] },
      ['status.reservedFor[0].name: Required value', 'status.reservedFor[0].uid: Required value'],
    ],
    ['repeated user', { allocation, reservedFor: [user, user] }, ['status.reservedFor[1]: Duplicate value: "u"']],
    [
      'odd result',
      { allocation: { devices: { results: [{ ...result, request: 'q', pool: '', shareID: 'x' }] } } },
      [
        `status.allocation.devices.results[0].request: Invalid value: "q": ${reference}`,
        'status.allocation.devices.results[0].pool: Required value',
        'status.allocation.devices.results[0].shareID: Invalid value: "x": error validating uid: invalid UUID length: 1',
      ],
    ],
    [
      'odd source',
      { allocation: { devices: { config: [{ source: 'Elsewhere', opaque: { driver: 'd.io', parameters: {} } }] } } },
      ['status.allocation.devices.config[0].source: Unsupported value: "Elsewhere": supported values: "FromClaim", "FromClass"'],
    ],
    [
      'not allocated device, twice',
      {
        allocation,
        devices: [
          { ...device, device: 'y' },
          { ...device, device: 'y' },
        ],
      },
      [
        'status.devices[0]: Invalid value: d.io/p/y: must be an allocated device in the claim',
        'status.devices[1]: Invalid value: d.io/p/y: must be an allocated device in the claim',
        'status.devices[1]: Duplicate value: d.io/p/y',
      ],
    ],
    [
      'conditions and network',
      {
        allocation,
        devices: [{ ...device, conditions: [{ type: 'Ready', status: 'Yes' }], networkData: { ips: ['10.0.0.1', '2001:DB8::1/64'] } }],
      },
      [
        'status.devices[0].conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
        'status.devices[0].conditions[0].lastTransitionTime: Required value: must be set',
        'status.devices[0].conditions[0].reason: Required value: must be set',
        'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
        'status.devices[0].networkData.ips[1]: Invalid value: "2001:DB8::1/64": must be in canonical form ("2001:db8::1/64")',
      ],
    ],
  ])('%s', (_name, status, expected) => {
    expect(updateProblems(resourceClaim, claim(one), (next) => void (next.status = status), 'status')).toEqual(expected);
  });

  test('what was allocated stays; devices that are given back lose their status', () => {
    const prev = decoded(resourceClaim, claim(one));
    prev.status = { allocation, devices: [device] };
    const context = { verb: 'update', subresource: 'status', nowMs: 0 } as const;
    const moved = { ...structuredClone(prev), status: { allocation: { devices: {} } } };
    expect(resourceClaim.validateUpdate?.(moved, prev, context)).toContainEqual({
      type: 'FieldValueInvalid',
      field: 'status.allocation',
      message:
        'Invalid value: {"Devices":{"Results":null,"Config":null},"NodeSelector":null,"AllocationTimestamp":null}: field is immutable',
    });
    const returned = { ...structuredClone(prev), status: { devices: [device] } };
    returned.metadata.labels = { a: 'b' };
    resourceClaim.prepareUpdate?.(returned, prev, context);
    expect(returned.status).toEqual({});
    expect(returned.metadata).not.toHaveProperty('labels');
  });

  test.each<[object, string]>([
    [{}, 'pending'],
    [{ status: { allocation } }, 'allocated'],
    [{ status: { allocation, reservedFor: [user] } }, 'allocated,reserved'],
    [{ metadata: { name: 'a', deletionTimestamp: 'now' }, status: { allocation } }, 'deleted,allocated'],
  ])('shown: %j', (more, state) => {
    expect(row(resourceClaim, { ...decoded(resourceClaim, claim(one)), ...more })).toMatchObject({ State: state });
  });
});

test('templates judge what they will make', () => {
  const template = (devices: string): string => `${meta}\nspec: {metadata: {labels: {"-": x}}, spec: {devices: {${devices}}}}`;
  const problems = createProblems(resourceClaimTemplate, template('requests: [{name: r}]'));
  expect(problems.map((text) => text.slice(0, text.indexOf(':')))).toEqual(['spec.metadata.labels', 'spec.spec.devices.requests[0]']);
  const selecting = template(
    'requests: [{name: r, firstAvailable: [{name: s, deviceClassName: c, selectors: [{cel: {expression: "1"}}]}]}]',
  );
  expect(createProblems(resourceClaimTemplate, selecting)[1]).toBe(
    'spec.spec.devices.requests[0].firstAvailable[0].selectors[0].cel.expression: Invalid value: "1": must evaluate to bool or the unknown type, not int',
  );
  const spec = decoded(resourceClaimTemplate, template(one)).spec.spec;
  expect(spec.devices?.requests?.[0]?.exactly).toMatchObject({ allocationMode: 'ExactCount', count: 1 });
});

test.each<[string, string, string[]]>([
  ['fine', 'config: [{opaque: {driver: d.io, parameters: {a: 1}}}], extendedResourceName: d.io/gpu', []],
  [
    'no extended resource',
    'extendedResourceName: cpu',
    ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name'],
  ],
  [
    'a selector',
    'selectors: [{cel: {expression: "device.driver"}}]',
    ['spec.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string'],
  ],
  ['no driver', 'config: [{opaque: {parameters: {}}}]', ['spec.config[0].opaque.driver: Required value']],
])('DeviceClass: %s', (_name, spec, expected) => {
  const problems = createProblems(deviceClass, `metadata: {name: a}\nspec: {${spec}}`);
  expect(problems.slice(0, expected.length)).toEqual(expected);
  expect(problems.length > 0).toBe(expected.length > 0);
});
