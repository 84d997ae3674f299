import { expect, test } from 'vitest';
import { createProblems, decoded, row, updateProblems } from '../testing.ts';
import { flowSchema } from './flow-schema.ts';
import { mandatoryFlowSchemas, mandatoryPriorityLevels, suggestedFlowSchemas, suggestedPriorityLevels } from './initial-objects.ts';
import { priorityLevelConfiguration } from './priority-level-configuration.ts';

const user = 'subjects: [{kind: User, user: {name: u}}]';
const all = 'verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"]';
const aSchema = (spec: string, name = 'a'): string => `metadata: {name: ${name}}\nspec: {priorityLevelConfiguration: {name: l}, ${spec}}`;
const withRule = (rule: string): string => aSchema(`rules: [{${rule}}]`);
const withSubject = (subject: string): string => withRule(`subjects: [{${subject}}], resourceRules: [{${all}}]`);
const rule = 'spec.rules[0]';
const verbs = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"';

test.each<[string, string, string[]]>([
  ['fine', withRule(`${user}, resourceRules: [{${all}}], nonResourceRules: [{verbs: [get], nonResourceURLs: [/, /apis/*]}]`), []],
  ['no level', 'metadata: {name: a}', ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level']],
  [
    'first of all',
    aSchema('matchingPrecedence: 1'),
    ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
  ],
  ['before all', aSchema('matchingPrecedence: -1'), ['spec.matchingPrecedence: Invalid value: -1: must be a positive value']],
  ['behind all', aSchema('matchingPrecedence: 10001'), ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000']],
  [
    'method',
    aSchema('distinguisherMethod: {type: ByDay}'),
    ['spec.distinguisherMethod.type: Unsupported value: {"Type":"ByDay"}: supported values: "ByNamespace", "ByUser"'],
  ],
  [
    'empty rule',
    withRule('subjects: []'),
    [
      `${rule}.subjects: Required value: subjects must contain at least one value`,
      `${rule}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`,
    ],
  ],
  [
    'subject',
    withSubject('kind: Robot'),
    [`${rule}.subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"`],
  ],
  [
    'subject without its part',
    withSubject('kind: User'),
    [`${rule}.subjects[0].user: Required value: user is required when subject kind is 'User'`],
  ],
  [
    'subject with another part',
    withSubject('kind: Group, group: {name: ""}, user: {name: u}'),
    [
      `${rule}.subjects[0].group.name: Required value`,
      `${rule}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`,
    ],
  ],
  [
    'account without namespace',
    withSubject('kind: ServiceAccount, serviceAccount: {name: "*"}'),
    [`${rule}.subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account`],
  ],
  [
    'nothing',
    withRule(`${user}, resourceRules: [{verbs: []}]`),
    [
      `${rule}.resourceRules[0].verbs: Required value: verbs must contain at least one value`,
      `${rule}.resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group`,
      `${rule}.resourceRules[0].resources: Required value: resource rules must supply at least one resource`,
      `${rule}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
    ],
  ],
  [
    'more than all',
    withRule(`${user}, resourceRules: [{verbs: ["*", get], apiGroups: ["*", a], resources: ["*", b], namespaces: ["*", c]}]`),
    [
      `${rule}.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
      `${rule}.resourceRules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other api groups`,
      `${rule}.resourceRules[0].resources: Invalid value: ["*","b"]: if '*' is present, must not specify other resources`,
      `${rule}.resourceRules[0].namespaces: Invalid value: ["*","c"]: if '*' is present, must not specify other namespaces`,
    ],
  ],
  [
    'verbs',
    withRule(`${user}, nonResourceRules: [{verbs: [feed], nonResourceURLs: [""]}]`),
    [
      `${rule}.nonResourceRules[0].verbs: Unsupported value: ["feed"]: supported values: ${verbs}`,
      `${rule}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "": must not be empty`,
    ],
  ],
  [
    'URLs',
    withRule(`${user}, nonResourceRules: [{verbs: ["*"], nonResourceURLs: [x, "/a b", //, /a*, /*/b]}]`),
    [
      'Invalid value: "x": must start with slash',
      'Invalid value: "/a b": must not contain white-space',
      'Invalid value: "//": must not contain double slash',
      'Invalid value: "/a*": wildcard can only do suffix matching',
      'Invalid value: "/*/b": wildcard can only do suffix matching',
    ].map((text, at) => `${rule}.nonResourceRules[0].nonResourceURLs[${at}]: ${text}`),
  ],
  [
    'namespaces',
    withRule(`${user}, resourceRules: [{verbs: [get], apiGroups: [a], resources: [b], namespaces: [a.b]}]`),
    [
      `${rule}.resourceRules[0].namespaces[0]: Invalid value: "a.b": each member of this list must be '*' or a DNS-1123 label; must not contain dots`,
    ],
  ],
  [
    'mandatory',
    aSchema(`matchingPrecedence: 10000, rules: [{${user}, resourceRules: [{${all}}]}]`, 'catch-all'),
    [
      'spec: Invalid value: {"PriorityLevelConfiguration":{"Name":"l"},"MatchingPrecedence":10000,"DistinguisherMethod":null,"Rules":[{"Subjects":[{"Kind":"User","User":{"Name":"u"},"Group":null,"ServiceAccount":null}],"ResourceRules":[{"Verbs":["*"],"APIGroups":["*"],"Resources":["*"],"ClusterScope":false,"Namespaces":["*"]}],"NonResourceRules":null}]}: spec of \'catch-all\' must equal the fixed value',
    ],
  ],
])('schema: %s', (_name, yaml, expected) => {
  expect(createProblems(flowSchema, yaml)).toEqual(expected);
});

const aLevel = (spec: string, name = 'a'): string => `metadata: {name: ${name}}\nspec: {${spec}}`;
const limited = (more: string): string => aLevel(`type: Limited, limited: {${more}}`);
const queuing = (more: string): string => limited(`limitResponse: {type: Queue, queuing: {${more}}}`);
const own = 'spec.limited.limitResponse.queuing';

test.each<[string, string, string[]]>([
  ['fine', limited('nominalConcurrencyShares: 0, limitResponse: {type: Reject}'), []],
  ['fine queue', queuing(''), []],
  ['nothing', aLevel('type: Limited'), ['spec.limited: Required value: must not be empty when type is Limited']],
  ['type', aLevel('type: Maybe'), ['spec.type: Unsupported value: "Maybe": supported values: "Exempt", "Limited"']],
  [
    'another exempt one',
    aLevel('type: Exempt'),
    ["spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"],
  ],
  [
    'both',
    aLevel('type: Limited, exempt: {}, limited: {limitResponse: {type: Reject, queuing: {}}}'),
    [
      'spec.exempt: Forbidden: must be nil if the type is Limited',
      `${own}: Forbidden: must be nil if limited.limitResponse.type is not Limited`,
    ],
  ],
  [
    'shares',
    limited('nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1, limitResponse: {type: Wait}'),
    [
      'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
      'spec.limited.limitResponse.type: Unsupported value: "Wait": supported values: "Queue", "Reject"',
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
    ],
  ],
  [
    'no queue',
    limited('limitResponse: {type: Queue}'),
    [`${own}: Required value: must not be empty if limited.limitResponse.type is Limited`],
  ],
  [
    'queues',
    queuing('queues: -1, handSize: -1, queueLengthLimit: -1'),
    [
      `${own}.queueLengthLimit: Invalid value: -1: must be positive`,
      `${own}.queues: Invalid value: -1: must be positive`,
      `${own}.handSize: Invalid value: -1: must be positive`,
    ],
  ],
  ['hand', queuing('queues: 4, handSize: 5'), [`${own}.handSize: Invalid value: 5: should not be greater than queues (4)`]],
  [
    'bits',
    queuing('queues: 1024, handSize: 7'),
    [`${own}.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 should not be greater than 60`],
  ],
  ['many queues', queuing('queues: 10000001, handSize: 1'), [`${own}.queues: Invalid value: 10000001: must not be greater than 10000000`]],
  [
    'mandatory',
    aLevel('type: Limited, limited: {limitResponse: {type: Queue, queuing: {}}}', 'catch-all'),
    [
      'spec: Invalid value: {"Type":"Limited","Limited":{"NominalConcurrencyShares":30,"LimitResponse":{"Type":"Queue","Queuing":{"Queues":64,"HandSize":8,"QueueLengthLimit":50}},"LendablePercent":0,"BorrowingLimitPercent":null},"Exempt":null}: spec of \'catch-all\' must equal the fixed value',
    ],
  ],
  ['exempt with other shares', aLevel('type: Exempt, exempt: {nominalConcurrencyShares: 5}', 'exempt'), []],
])('level: %s', (_name, yaml, expected) => {
  expect(createProblems(priorityLevelConfiguration, yaml)).toEqual(expected);
});

test.each([
  ['schemas', flowSchema, { ...mandatoryFlowSchemas, ...suggestedFlowSchemas }],
  ['levels', priorityLevelConfiguration, { ...mandatoryPriorityLevels, ...suggestedPriorityLevels }],
] as const)('what clusters begin with is valid and complete: %s', (_name, kind, specs) => {
  for (const [name, spec] of Object.entries(specs)) {
    const yaml = JSON.stringify({ metadata: { name }, spec });
    expect(createProblems(kind as typeof flowSchema, yaml)).toEqual([]);
    expect(decoded(kind as typeof flowSchema, yaml).spec).toEqual(spec);
  }
});

test('every schema that clusters begin with has its level', () => {
  const levels = { ...mandatoryPriorityLevels, ...suggestedPriorityLevels };
  for (const spec of Object.values({ ...mandatoryFlowSchemas, ...suggestedFlowSchemas })) {
    expect(Object.keys(levels)).toContain(spec.priorityLevelConfiguration.name);
  }
});

test('a status has each condition once', () => {
  const change = (object: { status: { conditions?: object[] } }): void => {
    object.status = { conditions: [{ type: 'Dangling' }, { type: 'Dangling' }, {}] };
  };
  const expected = ['status.conditions[1].type: Duplicate value: "Dangling"', 'status.conditions[2].type: Required value'];
  expect(updateProblems(flowSchema, aSchema(''), change, 'status')).toEqual(expected);
  expect(updateProblems(priorityLevelConfiguration, queuing(''), change, 'status')).toEqual(expected);
});

test('columns', () => {
  const schema = decoded(
    flowSchema,
    `${aSchema('distinguisherMethod: {type: ByUser}')}\nstatus: {conditions: [{type: Dangling, status: "False"}]}`,
  );
  expect(row(flowSchema, schema)).toMatchObject({
    PriorityLevel: 'l',
    MatchingPrecedence: 1_000,
    DistinguisherMethod: 'ByUser',
    MissingPL: 'False',
  });
  expect(row(flowSchema, decoded(flowSchema, aSchema('')))).toMatchObject({ DistinguisherMethod: '<none>', MissingPL: '?' });
  const level = decoded(priorityLevelConfiguration, queuing(''));
  expect(row(priorityLevelConfiguration, level)).toMatchObject({
    Type: 'Limited',
    NominalConcurrencyShares: 30,
    Queues: 64,
    HandSize: 8,
    QueueLengthLimit: 50,
  });
  expect(row(priorityLevelConfiguration, decoded(priorityLevelConfiguration, aLevel('type: Exempt')))).toMatchObject({
    NominalConcurrencyShares: '<none>',
    Queues: '<none>',
  });
});
