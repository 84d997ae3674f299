import { expect, test } from 'vitest';
import { createProblems } from '../../testing.ts';
import { pod } from './pod.ts';

/** A pod with these members of its spec beside one container with these members. */
function aPod(spec: string, container = ''): string {
  return `metadata: {name: web, namespace: a}\nspec: {${spec}, containers: [{name: c, image: i, ${container}}]}`;
}

const windows = 'os: {name: windows}';
const linux = 'os: {name: linux}';
const refused = (...fields: string[]): string[] => fields.map((field) => `spec.${field}: Forbidden: cannot be set for a windows pod`);
const container = (...fields: string[]): string[] => refused(...fields.map((field) => `containers[0].securityContext.${field}`));
const inPod = (...fields: string[]): string[] => refused(...fields.map((field) => `securityContext.${field}`));

test.each<[string, string, string[]]>([
  ['what both have', aPod(`${windows}, securityContext: {runAsNonRoot: true}`, 'securityContext: {runAsNonRoot: true}'), []],
  [
    'namespaces of a Windows pod',
    aPod(`${windows}, hostUsers: true, hostPID: true, hostIPC: true, shareProcessNamespace: false`),
    refused('hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'),
  ],
  ['namespaces that it does not ask for', aPod(`${windows}, hostPID: false, hostIPC: false`), []],
  [
    'security of a Windows pod',
    aPod(
      `${windows}, securityContext: {appArmorProfile: {type: Unconfined}, seLinuxOptions: {}, seccompProfile: {type: Unconfined}, fsGroup: 1, fsGroupChangePolicy: Always, sysctls: [{name: a.b, value: c}], runAsUser: 1, runAsGroup: 1, supplementalGroups: [1], supplementalGroupsPolicy: Merge, seLinuxChangePolicy: Recursive}`,
    ),
    inPod(
      'appArmorProfile',
      'seLinuxOptions',
      'seccompProfile',
      'fsGroup',
      'fsGroupChangePolicy',
      'sysctls',
      'runAsUser',
      'runAsGroup',
      'supplementalGroups',
      'supplementalGroupsPolicy',
      'seLinuxChangePolicy',
    ),
  ],
  [
    'security of its containers',
    aPod(
      windows,
      'securityContext: {appArmorProfile: {type: Unconfined}, seLinuxOptions: {}, seccompProfile: {type: Unconfined}, capabilities: {}, readOnlyRootFilesystem: false, privileged: false, allowPrivilegeEscalation: true, procMount: Default, runAsUser: 1, runAsGroup: 1}',
    ),
    container(
      'appArmorProfile',
      'seLinuxOptions',
      'seccompProfile',
      'capabilities',
      'readOnlyRootFilesystem',
      'privileged',
      'allowPrivilegeEscalation',
      'procMount',
      'runAsUser',
      'runAsGroup',
    ),
  ],
  [
    'init containers before others',
    aPod(`${windows}, initContainers: [{name: i, image: i, securityContext: {runAsUser: 1}}]`, 'securityContext: {runAsUser: 1}'),
    refused('initContainers[0].securityContext.runAsUser', 'containers[0].securityContext.runAsUser'),
  ],
  [
    'amounts of a whole Windows pod',
    aPod(`${windows}, resources: {requests: {odd: -1}}`),
    ['spec.resources: Forbidden: may not be set for a windows pod'],
  ],
  [
    'Windows options of a Linux pod',
    aPod(`${linux}, securityContext: {windowsOptions: {}}`, 'securityContext: {windowsOptions: {runAsUserName: a}}'),
    [
      'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
      'spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ],
  ],
  ['Windows options of a pod that does not say', aPod('securityContext: {windowsOptions: {runAsUserName: a}}'), []],
])('%s', (_name, yaml, expected) => {
  expect(createProblems(pod, yaml)).toEqual(expected);
});

const identical = (value: boolean, was: boolean): string =>
  `spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: ${value}: pod hostProcess value must be identical if both are specified, was ${was}`;
const all = 'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers';
const network = 'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers';
const own = (value: boolean): string => `securityContext: {windowsOptions: {hostProcess: ${value}}}`;

test.each<[string, string, string[]]>([
  ['of the pod', aPod(`hostNetwork: true, ${own(true)}`), []],
  ['of the only container', aPod('hostNetwork: true', own(true)), []],
  ['of none', aPod(own(false), own(false)), []],
  ['without the network of the host', aPod(own(true)), [network]],
  ['of some', aPod('hostNetwork: true, initContainers: [{name: i, image: i}]', own(true)), [all]],
  ['of some, and without the network', aPod('initContainers: [{name: i, image: i}]', own(true)), [all, network]],
  ['of the pod but not its container', aPod(`hostNetwork: true, ${own(true)}`, own(false)), [identical(false, true)]],
  ['of the container but not its pod', aPod(`hostNetwork: true, ${own(false)}`, own(true)), [identical(true, false)]],
])('host processes: %s', (_name, yaml, expected) => {
  expect(createProblems(pod, yaml)).toEqual(expected);
});

const longSpec = 'x'.repeat(64 * 1_024);

test.each<[string, object, string[]]>([
  ['names with a domain', { runAsUserName: 'NT AUTHORITY\\NETWORK SERVICE' }, []],
  ['names with a DNS domain', { runAsUserName: `${'a'.repeat(60)}.example.com\\me` }, []],
  ['as much as may be', { runAsUserName: 'x'.repeat(104), gmsaCredentialSpec: longSpec, gmsaCredentialSpecName: 'a.b' }, []],
  [
    'nothing',
    { runAsUserName: '', gmsaCredentialSpec: '' },
    ['gmsaCredentialSpec: gmsaCredentialSpec cannot be an empty string', 'runAsUserName: runAsUserName cannot be an empty string'],
  ],
  ['too much', { gmsaCredentialSpec: `${longSpec}x` }, ['gmsaCredentialSpec: gmsaCredentialSpec size must be under 64 KiB']],
  ['control characters', { runAsUserName: 'a\tb' }, ['runAsUserName: runAsUserName cannot contain control characters']],
  ['two backslashes', { runAsUserName: 'a\\b\\c' }, ['runAsUserName: runAsUserName cannot contain more than one backslash']],
  ['no user', { runAsUserName: 'a\\' }, ["runAsUserName: runAsUserName's User cannot be empty"]],
  ['no domain', { runAsUserName: '\\me' }, ["runAsUserName: runAsUserName's Domain doesn't match the NetBios nor the DNS format"]],
  [
    'a long domain',
    { runAsUserName: `${'_'.repeat(256)}\\me` },
    [
      "runAsUserName: runAsUserName's Domain length must be under 256 characters",
      "runAsUserName: runAsUserName's Domain doesn't match the NetBios nor the DNS format",
    ],
  ],
  [
    'a long user',
    { runAsUserName: 'x'.repeat(105) },
    ["runAsUserName: runAsUserName's User length must not be longer than 104 characters"],
  ],
  ['only periods', { runAsUserName: '. .' }, ["runAsUserName: runAsUserName's User cannot contain only periods or spaces"]],
  [
    'odd characters',
    { runAsUserName: 'a@b' },
    ['runAsUserName: runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]'],
  ],
])('whom it runs as: %s', (_name, options, expected) => {
  const texts = createProblems(pod, aPod(`securityContext: {windowsOptions: ${JSON.stringify(options)}}`));
  const path = 'spec.securityContext.windowsOptions.';
  expect(texts.every((text) => text.startsWith(path))).toBe(true);
  expect(texts.map((text) => text.slice(path.length).replace(/: Invalid value: "(?:[^"\\]|\\.)*": /, ': '))).toEqual(expected);
});
