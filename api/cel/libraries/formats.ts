// The formats of names and values that schemas know: `format.dns1123Label().validate(name)`.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function formatLibrary(): Library {
  const text = formatNames.map((name) => `format.${name}\n  format.${name}: () -> kubernetes.NamedFormat`).join('\n');
  return { functions: declareFunctions(text + formatFunctions), variables: [] };
}

const formatNames = [
  'dns1123Label',
  'dns1123Subdomain',
  'dns1035Label',
  'dns1123LabelPrefix',
  'dns1123SubdomainPrefix',
  'dns1035LabelPrefix',
  'labelValue',
  'qualifiedName',
  'uri',
  'uuid',
  'byte',
  'date',
  'datetime',
];

const formatFunctions = `
format.named
  format-named: (string) -> optional_type(kubernetes.NamedFormat)
validate
  format-validate: kubernetes.NamedFormat.(string) -> optional_type(list(string))
`;
