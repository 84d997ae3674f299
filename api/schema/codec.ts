// Bytes to objects and back, as the API server does it for every write. One Codec per process: it compiles a kind's decoder on
// first use and keeps it.
//
//   const codec = createCodec();                                      // or createCodec(schemas) to share the schemas
//   const { object, warnings } = codec.decodeBody(body, kind, 'Warn'); // a request's body; throws ApiError with upstream's words
//   const { object } = codec.decodeValue(value, kind, 'Strict');       // a patched or converted value; keeps it and changes it in place
//   const bytes = codec.encode(object);                                // what is stored and sent
//
// An object that was decoded is complete: kind, apiVersion and metadata are there, null stands in it only for times without value, and JSON.stringify gives
// its wire form (decode.ts says in detail what decoding drops and fills). `kind` may be a KindDefinition or any of its parts for
// sub-resources: { group: 'autoscaling', version: 'v1', kind: 'Scale', schema: 'io.k8s.api.autoscaling.v1.Scale' }.
import type { Json, KubeObject } from '#api/meta/object.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { ApiError, badRequest } from '#api/meta/status.ts';
import { maxBodyValues } from './body-limits.ts';
import { type Decoder, DecoderCompiler } from './decode.ts';
import { DecodeError, valueText } from './decode-state.ts';
import { packageGroups } from './facts-names.ts';
import { JsonError, type ParsedJson, parseJsonBody } from './json.ts';
import { NumberText } from './json-parser.ts';
import { ProtobufReader } from './protobuf.ts';
import { ProtobufEncoder } from './protobuf-encoder.ts';
import { ProtobufError } from './protobuf-wire.ts';
import { builtinSchemas, type SchemaSet } from './schemas.ts';
import { stringifyDeep } from './stringify-deep.ts';
import { parseYaml, YamlError } from './yaml.ts';

export interface DecodableKind {
  readonly group: string;
  readonly version: string;
  /** Further versions that bodies may say; they have the same fields. */
  readonly otherVersions?: readonly string[];
  readonly kind: string;
  /** Name of the definition, such as io.k8s.api.apps.v1.Deployment. */
  readonly schema: string;
  /** Set for what upstream reads by a scheme of its own: its kind may say any group and version, and refusals come without a frame. */
  readonly scheme?: { readonly name: string; readonly knows: (identity: Identity) => boolean };
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface DecodedObject {
  readonly object: KubeObject;
  /** One for each unknown or repeated field; only with Warn. */
  readonly warnings: readonly string[];
  /** True where metadata.managedFields came as an empty list, which decoding drops but which asks to forget who owns what. */
  readonly forgetsOwners: boolean;
}

/** A codec over these schemas; default the built-in ones. `maxValues`: as many as a body may hold. */
export function createCodec(schemas: SchemaSet = builtinSchemas(), maxValues: number = maxBodyValues): Codec {
  return new Codec(schemas, maxValues);
}

/** Whose object data says it is. */
export interface Identity {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const findKindType = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

export const protobufType = 'application/vnd.kubernetes.protobuf';

/** How upstream's scheme calls itself in messages about kinds that it does not have. */
const schemeName = 'pkg/api/legacyscheme/scheme.go:30';

export class Codec {
  readonly schemas: SchemaSet;
  /** As many values as a body may hold. */
  readonly maxValues: number;
  readonly #compiler = new DecoderCompiler();
  readonly #decoders = new Map<string, Decoder>();
  readonly #protobufReader: ProtobufReader;
  /** Writes the other wire form, for clients that accept nothing else. */
  readonly protobuf: ProtobufEncoder;
  #known: ReadonlySet<string> | undefined;

  constructor(schemas: SchemaSet, maxValues: number = maxBodyValues) {
    this.schemas = schemas;
    this.maxValues = maxValues;
    this.#protobufReader = new ProtobufReader(schemas, maxValues);
    this.protobuf = new ProtobufEncoder(schemas);
  }

  /** Decodes a request's body. Throws ApiError (BadRequest, UnsupportedMediaType, RequestEntityTooLarge). */
  decodeBody(
    body: { readonly bytes: Uint8Array; readonly mediaType: string },
    kind: DecodableKind,
    fieldValidation: FieldValidation,
  ): DecodedObject {
    let parsed: ParsedJson;
    const strictProblems: string[] = [];
    try {
      parsed =
        body.mediaType === protobufType
          ? { value: this.#protobufReader.read(body.bytes, this.schemas.get(kind.schema)), duplicates: undefined, hasNumberTexts: true }
          : parseBody(body, strictProblems, this.maxValues);
    } catch (error) {
      if (error instanceof JsonError) {
        throw unrecognized(kind, `couldn't get version/kind; json parse error: ${error.message}`, body.bytes);
      }
      throw error instanceof YamlError || error instanceof ProtobufError ? unrecognized(kind, error.message, body.bytes) : error;
    }
    return this.#decode({ parsed, kind, fieldValidation, strictProblems, source: () => body.bytes });
  }

  /** Decodes a value that is JSON already, such as the outcome of a patch. Keeps it and changes it in place. */
  decodeValue(value: Json, kind: DecodableKind, fieldValidation: FieldValidation): DecodedObject {
    const parsed = { value, duplicates: undefined, hasNumberTexts: false };
    return this.#decode({ parsed, kind, fieldValidation, strictProblems: [], source: () => Buffer.from(stringifyDeep(value)) });
  }

  /** The wire form in UTF-8. */
  encode(object: object): Uint8Array {
    return Buffer.from(stringifyDeep(object));
  }

  #decode(options: {
    parsed: ParsedJson;
    kind: DecodableKind;
    fieldValidation: FieldValidation;
    strictProblems: readonly string[];
    source: () => Uint8Array;
  }): DecodedObject {
    const { parsed, kind, fieldValidation, source } = options;
    const identity = identityOf(parsed.value, kind, source);
    this.#requireKind(identity, kind);
    const refuse = (why: string): ApiError => cannotBeHandled(identity, kind, why);
    const forgetsOwners = saysNobody(parsed.value);
    const { value, problems: found } = this.#run(kind, parsed, refuse);
    const problems = [...options.strictProblems, ...found];
    if (problems.length > 0 && fieldValidation === 'Strict') throw refuse(`strict decoding error: ${problems.join(', ')}`);
    const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = value;
    const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: metadata ?? {}, ...rest } as unknown as KubeObject;
    return { object, warnings: fieldValidation === 'Warn' ? problems : [], forgetsOwners };
  }

  #run(kind: DecodableKind, parsed: ParsedJson, refuse: (why: string) => ApiError): ReturnType<Decoder> {
    let decoder = this.#decoders.get(kind.schema);
    if (decoder === undefined) {
      decoder = this.#compiler.compile(this.schemas.get(kind.schema));
      this.#decoders.set(kind.schema, decoder);
    }
    try {
      return decoder(parsed.value === null ? { ...parsed, value: {} } : parsed);
    } catch (error) {
      throw error instanceof DecodeError ? refuse(error.message) : error;
    }
  }

  /** Refuses objects of another kind or version than the endpoint's. */
  #requireKind(identity: Identity, kind: DecodableKind): void {
    const isSame = identity.kind === kind.kind;
    const isVersion = identity.version === kind.version || kind.otherVersions?.includes(identity.version) === true;
    if (isSame && (kind.scheme !== undefined || (identity.group === kind.group && isVersion))) return;
    this.#known ??= new Set(this.schemas.names().map((name) => identityText(this.schemas.kindOf(name))));
    const { scheme } = kind;
    if (!(scheme?.knows(identity) ?? this.#known.has(identityText(identity)))) {
      const version = apiVersionOf(identity);
      const why = `no kind ${JSON.stringify(identity.kind)} is registered for version ${JSON.stringify(version)} in scheme "${scheme?.name ?? schemeName}"`;
      throw cannotBeHandled(identity, kind, why);
    }
    if (!isSame) {
      const source = `${identity.version}.${identity.kind}`;
      const target = scheme === undefined ? internalName(kind) : `${kind.version}.${kind.kind}`;
      throw cannotBeHandled(identity, kind, `converting (${source}) to (${target}): unknown conversion`);
    }
    const [actual, expected] = [apiVersionOf(identity), apiVersionOf(kind)];
    throw badRequest(`the API version in the data (${actual}) does not match the expected API version (${expected})`);
  }
}

function parseBody(
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: string },
  strictProblems: string[],
  maxValues: number,
): ParsedJson {
  switch (mediaType) {
    case 'application/json':
      return parseJsonBody(bytes, maxValues);
    case 'application/yaml': {
      const { parsed, duplicates } = parseYaml(bytes, maxValues);
      strictProblems.push(...duplicates);
      return parsed;
    }
    default:
      throw new ApiError({
        reason: 'UnsupportedMediaType',
        message: `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`,
      });
  }
}

function saysNobody(value: Json): boolean {
  const below = (from: Json | undefined, name: string): Json | undefined =>
    typeof from === 'object' && from !== null && !Array.isArray(from) ? from[name] : undefined;
  const owners = below(below(value, 'metadata'), 'managedFields');
  return Array.isArray(owners) && owners.length === 0;
}

/** Whose object the data says it is, completed from the endpoint's kind where it says nothing. */
function identityOf(value: Json, kind: DecodableKind, source: () => Uint8Array): Identity {
  if (value === null) return kind;
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof NumberText) {
    const why = `json: cannot unmarshal ${valueText(value, findKindType)} into Go value of type ${findKindType}`;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, source());
  }
  const own = (name: 'apiVersion' | 'kind'): string => {
    const text = Object.hasOwn(value, name) ? (value[name] ?? '') : '';
    if (typeof text === 'string') return text;
    const why = `json: cannot unmarshal ${valueText(text, 'string')} into Go struct field .${name} of type string`;
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, source());
  };
  const apiVersion = own('apiVersion');
  const parts = apiVersion.split('/');
  if (parts.length > 2) throw unrecognized(kind, `unexpected GroupVersion string: ${apiVersion}`, source());
  const group = parts.length === 2 ? (parts[0] ?? '') : '';
  const version = parts.at(-1) ?? '';
  const name = own('kind') === '' ? kind.kind : own('kind');
  if (version !== '') return { group, version, kind: name };
  return group === '' || group === kind.group ? { group: kind.group, version: kind.version, kind: name } : { group, version, kind: name };
}

function cannotBeHandled(identity: Identity, kind: DecodableKind, why: string): ApiError {
  if (kind.scheme !== undefined) return badRequest(why);
  return badRequest(`${identity.kind} in version ${JSON.stringify(identity.version)} cannot be handled as a ${kind.kind}: ${why}`);
}

function unrecognized(kind: DecodableKind, why: string, bytes: Uint8Array): ApiError {
  if (kind.scheme !== undefined) return badRequest(why);
  return badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${summaryOf(bytes)})`);
}

/** The beginning of a body, as upstream shows it: text where it looks like JSON, hex otherwise. */
function summaryOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>';
  const start = Buffer.from(bytes.subarray(0, 30));
  return `${start.toString(bytes[0] === 0x7b ? 'utf8' : 'hex')}${bytes.length > 30 ? ' ...' : ''}`;
}

/** Upstream converts into the type of its internal package: `core.Pod`. Events of both groups share one. */
function internalName({ group, kind }: DecodableKind): string {
  const name = Object.keys(packageGroups).find((one) => packageGroups[one] === group) ?? '';
  const last = name.split('.').at(-1) ?? '';
  return `${last === 'events' ? 'core' : last}.${kind}`;
}

function identityText(identity: Identity | undefined): string {
  return identity === undefined ? '' : `${identity.group}/${identity.version}/${identity.kind}`;
}
