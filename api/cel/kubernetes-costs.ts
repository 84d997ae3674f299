// What the functions of Kubernetes' libraries cost. These figures are part of the API: they decide which expressions may be stored.
// Upstream: k8s.io/apiserver/pkg/cel/library/cost.go.
import { matchCost as coreMatchCost, regexLength, traversal } from './core-costs.ts';
import type { CallCost, CostModel, CostNode, ModelledCall } from './cost.ts';
import { add, fixed, multiply, nothing, type Range, scale, union, unknown } from './estimate.ts';
import { extensionCost } from './extension-costs.ts';
import type { CelType } from './types.ts';

/** How large a part of the input may be; undefined where it is not known. */
export type SizeOf = (node: CostNode) => Range | undefined;

/** The costs of everything that expressions in Kubernetes can call. `has(…)` is free. */
export function kubernetesCosts(inputSize: SizeOf): CostModel {
  const sizeOf = (node: CostNode): Range => node.size ?? inputSize(node) ?? unknown;
  return {
    presenceCost: 0n,
    size: inputSize,
    call: (call) => extensionCost(call, sizeOf) ?? libraryCost(call, sizeOf),
  };
}

const one = fixed(1n);
/** Two checks and no more fit into the limit of a policy's expression. */
const authorizationCheck = fixed(350_000n);
const formatRegexLength = 128;
const formatSizeLimit = 64n;
/** The bytes of an address. */
const addressSize: Range = { min: 4n, max: 16n };
const readAddress = scale(addressSize, traversal);
const compareAddresses = scale(add(addressSize, addressSize), traversal);

/** Accessors and comparisons of values of fixed size. */
const nominal: ReadonlySet<string> = new Set(
  `serviceAccount path group resource subresource namespace name allowed reason error errored
  masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named
  sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch
  getScheme getHostname getHost getPort getEscapedPath getQuery`.split(/\s+/),
);

/** Functions that read their argument once. */
const parsers: ReadonlySet<string> = new Set(['cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver']);

function libraryCost(call: ModelledCall, sizeOf: (node: CostNode) => Range): CallCost | undefined {
  const { function: name, target, args } = call;
  const [first] = args;
  if (nominal.has(name)) return { cost: one };
  if (name === '_==_') return equalityCost(args);
  if (parsers.has(name)) return first === undefined ? undefined : { cost: scale(sizeOf(first), traversal) };
  switch (name) {
    case 'check':
      return { cost: authorizationCheck };
    case 'fieldSelector':
    case 'labelSelector':
      return first === undefined || args.length !== 1 ? undefined : { cost: selectorCost(sizeOf(first)) };
    case 'url':
    case 'jsonpatch.escapeKey':
      return first === undefined || args.length !== 1 ? undefined : reading(sizeOf(first));
    case 'ip':
      if (call.overload === 'cidr_ip') return { cost: one };
      return first === undefined ? undefined : { cost: scale(sizeOf(first), traversal) };
    case 'ip.isCanonical':
      return first === undefined ? undefined : { cost: scale(sizeOf(first), 2 * traversal) };
    case 'containsIP':
    case 'containsCIDR':
      return first === undefined ? undefined : { cost: containmentCost(call.overload, sizeOf(first)) };
    case 'validate':
      return first === undefined ? undefined : { cost: scale(scale(sizeOf(first), traversal), formatRegexLength * regexLength) };
    default:
      return target === undefined ? undefined : memberCost(name, target, args, sizeOf);
  }
}

/** Functions of texts and lists, called as `target.name(args)`. */
function memberCost(name: string, target: CostNode, args: readonly CostNode[], sizeOf: (node: CostNode) => Range): CallCost | undefined {
  const size = sizeOf(target);
  const [first, second] = args;
  switch (name) {
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf':
      return { cost: scanCost(target, sizeOf) };
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return reading(size);
    case 'replace':
      if (first === undefined || second === undefined) return undefined;
      return { cost: scale(size, 2 * traversal), size: replacedSize(size, sizeOf(first), sizeOf(second)) };
    case 'split':
      return { cost: scale(size, 2 * traversal), size: { min: 0n, max: literalCount(second) ?? size.max } };
    case 'join':
      return reading(joinedSize(target, first, sizeOf));
    case 'find':
    case 'findAll':
      if (first === undefined) return undefined;
      return { cost: coreMatchCost({ ...target, size }, { ...first, size: sizeOf(first) }), size: { min: 0n, max: size.max } };
    default:
      return undefined;
  }
}

function reading(size: Range): CallCost {
  return { cost: scale(size, traversal), size };
}

/** A selector is a list of requirements of at least two characters, each an object with a list. */
function selectorCost(size: Range): Range {
  const requirements = scale(scale(size, 0.5), 10 + 40);
  return add(add(fixed(10n), scale(size, traversal)), requirements);
}

function containmentCost(overload: string, argument: Range): Range {
  const base = overload.startsWith('cidr_contains_cidr') ? add(add(compareAddresses, readAddress), one) : compareAddresses;
  const isText = overload === 'cidr_contains_ip_string' || overload === 'cidr_contains_cidr_string';
  return isText ? add(base, scale(argument, traversal)) : base;
}

/** Every element of a list is looked at, every character of one that is a text. */
function scanCost(target: CostNode, sizeOf: (node: CostNode) => Range): Range {
  const element = elementOf(target);
  if (element === undefined) return scale(sizeOf(target), traversal);
  const { kind } = element.type;
  const isText =
    kind === 'string' || kind === 'bytes' || (kind === 'wrapper' && (element.type.of === 'string' || element.type.of === 'bytes'));
  return multiply(sizeOf(target), isText ? add(one, scale(sizeOf(element), traversal)) : one);
}

/** What a list's elements are; of other types with a parameter, what the first one says. */
function elementOf({ type, path }: CostNode): CostNode | undefined {
  const element = firstParameter(type);
  if (element === undefined) return undefined;
  return { path: path.length === 0 ? [] : [...path, '@items'], type: element, expr: undefined, size: undefined };
}

function firstParameter(type: CelType): CelType | undefined {
  switch (type.kind) {
    case 'list':
      return type.element;
    case 'map':
      return type.key;
    case 'opaque':
      return type.parameters[0];
    case 'type':
      return type.of;
    default:
      return undefined;
  }
}

/** The size of a text after replacing: as often, and by as much, as the sizes allow. */
function replacedSize(size: Range, replaced: Range, replacement: Range): Range {
  return {
    min: replacedBound(size.min, replaced.max, replacement.min, replaced.max <= replacement.min),
    max: replacedBound(size.max, replaced.min, replacement.max, replacement.max <= replaced.min),
  };
}

function replacedBound(size: bigint, replaced: bigint, replacement: bigint, staysAsLong: boolean): bigint {
  // Nothing is replaced around every character, and those are kept.
  if (replaced === 0n) return add(multiply(add(fixed(size), one), fixed(replacement)), fixed(size)).max;
  if (staysAsLong) return size;
  return multiply(fixed(BigInt(Math.ceil(Number(size) / Number(replaced)))), fixed(replacement)).max;
}

function joinedSize(list: CostNode, separator: CostNode | undefined, sizeOf: (node: CostNode) => Range): Range {
  const count = sizeOf(list);
  const element = elementOf(list);
  const elements = element === undefined ? nothing : multiply(count, sizeOf(element));
  if (separator === undefined) return elements;
  const separators = { min: count.min > 0n ? count.min - 1n : 0n, max: count.max > 0n ? count.max - 1n : 0n };
  return add(elements, multiply(sizeOf(separator), separators));
}

/** A number that the expression tells; a negative one is no bound. */
function literalCount(node: CostNode | undefined): bigint | undefined {
  const { expr } = node ?? {};
  return expr?.kind === 'literal' && expr.literal.type === 'int' ? BigInt.asUintN(64, expr.literal.value) : undefined;
}

/** Objects that are compared in one step. */
const simpleObjects: ReadonlySet<string> = new Set([
  'kubernetes.Quantity',
  'kubernetes.Semver',
  ...['Authorizer', 'PathCheck', 'GroupCheck', 'ResourceCheck', 'Decision'].map((name) => `kubernetes.authorization.${name}`),
]);

function equalityCost([left, right]: readonly CostNode[]): CallCost | undefined {
  const [one_, other] = [left?.type, right?.type];
  if (one_?.kind === 'opaque' && other?.kind === 'opaque' && one_.name === other.name) {
    return one_.name === 'net.IP' || one_.name === 'net.CIDR' ? { cost: one } : undefined;
  }
  if (one_?.kind !== 'object' || other?.kind !== 'object' || one_.name !== other.name) return undefined;
  if (simpleObjects.has(one_.name)) return { cost: one };
  if (one_.name === 'kubernetes.NamedFormat') return { cost: scale({ min: 1n, max: formatSizeLimit }, traversal) };
  if (one_.name !== 'kubernetes.URL') return undefined;
  return { cost: scale({ min: 1n, max: union(right?.size ?? one, right?.size ?? one).max }, traversal) };
}
