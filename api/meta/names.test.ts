import { expect, test } from 'vitest';
import {
  configMapKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  envVarNameProblems,
  labelValueProblems,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  percentProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from './names.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const dns1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const qualified =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const value =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

test.each<[string, (text: string) => readonly string[], string, string[]]>([
  ['label', dnsLabelProblems, 'web-1', []],
  ['label', dnsLabelProblems, 'a.b', ['must not contain dots']],
  ['label', dnsLabelProblems, 'Web', [label]],
  ['label', dnsLabelProblems, 'a'.repeat(64), ['must be no more than 63 characters']],
  ['subdomain', dnsSubdomainProblems, 'a.b-c.d', []],
  ['subdomain', dnsSubdomainProblems, 'a_b', [subdomain]],
  ['subdomain', dnsSubdomainProblems, 'x\ny', [subdomain]],
  ['1035', dns1035LabelProblems, '1web', [dns1035]],
  ['1035', dns1035LabelProblems, 'web', []],
  ['key', qualifiedNameProblems, 'example.com/App.v1', []],
  ['key', qualifiedNameProblems, '', ['name part must be non-empty', `name part ${qualified}`]],
  ['key', qualifiedNameProblems, '/a', ['prefix part must be non-empty']],
  ['key', qualifiedNameProblems, 'A/a', [`prefix part ${subdomain}`]],
  [
    'key',
    qualifiedNameProblems,
    'a/b/c',
    [`a valid label key ${qualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`],
  ],
  ['key', qualifiedNameProblems, '@', [`name part ${qualified}`]],
  ['value', labelValueProblems, '', []],
  ['value', labelValueProblems, 'a b', [value]],
  ['config key', configMapKeyProblems, '.bashrc', []],
  ['config key', configMapKeyProblems, '..', ["must not be '..'"]],
  ['config key', configMapKeyProblems, '..a', ["must not start with '..'"]],
  [
    'config key',
    configMapKeyProblems,
    'a/b',
    [
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ],
  ['env', envVarNameProblems, '1 a', []],
  ['env', envVarNameProblems, 'a=b', ["a valid environment variable name must consist only of printable ASCII characters other than '='"]],
  ['port', portNameProblems, 'http', []],
  ['port', portNameProblems, '80', ['must contain at least one letter (a-z)']],
  ['port', portNameProblems, '-a--b', ['must not contain consecutive hyphens', 'must not begin or end with a hyphen']],
  [
    'percent',
    percentProblems,
    '5',
    [
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
])('%s %#', (_name, check, text, expected) => {
  expect(check(text)).toEqual(expected);
});

test('port numbers', () => {
  expect(portNumberProblems(0)).toEqual(['must be between 1 and 65535, inclusive']);
  expect(portNumberProblems(65_535)).toEqual([]);
});

test('a generateName may end in a dash, a name may not', () => {
  expect(nameIsDnsSubdomain('web-', true)).toEqual([]);
  expect(nameIsDnsSubdomain('web-', false)).toEqual([subdomain]);
});

test('names in paths', () => {
  expect(nameIsPathSegment('..', false)).toEqual(["may not be '..'"]);
  expect(nameIsPathSegment('a/b%', false)).toEqual(["may not contain '/'", "may not contain '%'"]);
});
