import type { JsonSchema } from './json-schema.ts';

/** Formats of strings that v1.36 checks (apiextensions-apiserver/pkg/apiserver/validation/formats.go), dashes left out. */
const knownFormats: ReadonlySet<string> = new Set(
  `bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte
  password date duration datetime quantity k8sshortname k8slongname`.split(/\s+/),
);

/** Formats that are published but never checked. As upstream does, it takes every format for one of strings, int32 included. */
export function unknownFormats(schemas: Iterable<JsonSchema>): string[] {
  return [...schemas].flatMap(({ format = '' }) => (format === '' || knownFormats.has(format.replaceAll('-', '')) ? [] : [format]));
}
