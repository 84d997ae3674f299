// Expressions that select devices: what they may name and what they cost. Upstream: k8s.io/dynamic-resource-allocation/cel/compile.go.
import { compile } from '../cel/compile.ts';
import { type CostNode, estimateCost } from '../cel/cost.ts';
import { parseType } from '../cel/declarations.ts';
import { Environment, type MessageType } from '../cel/environment.ts';
import type { Range } from '../cel/estimate.ts';
import { kubernetesCosts } from '../cel/kubernetes-costs.ts';
import { bindingLibrary } from '../cel/libraries/bindings.ts';
import { kubernetesLibraries } from '../cel/libraries/kubernetes-base.ts';
import { programProblem } from '../cel/program.ts';
import { standardLibrary } from '../cel/standard-library.ts';
import { typeName } from '../cel/type-text.ts';
import { schemaScalars, wellKnownConstants, wellKnownMessages, wellKnownTypes } from '../cel/well-known.ts';

export type DeviceExpression =
  | { readonly kind: 'compiled'; readonly cost: Range }
  /** Invalid: the author's fault; internal: upstream takes it for its own. */
  | { readonly kind: 'invalid' | 'internal'; readonly problem: string };

/** Remembered expressions: claims of one template all have the same. */
const maxRemembered = 100;

/** Compiles expressions, good ones once as long as they are remembered; what is said of bad ones can be long. */
export class DeviceExpressions {
  /** The one that was asked for last comes last. */
  readonly #compiled = new Map<string, DeviceExpression>();
  #environment: Environment | undefined;

  compile(text: string): DeviceExpression {
    this.#environment ??= deviceEnvironment();
    const compiled = this.#compiled.get(text) ?? compileDeviceExpression(text, this.#environment);
    if (compiled.kind !== 'compiled') return compiled;
    this.#compiled.delete(text);
    this.#compiled.set(text, compiled);
    const [oldest] = this.#compiled.keys();
    if (this.#compiled.size > maxRemembered && oldest !== undefined) this.#compiled.delete(oldest);
    return compiled;
  }
}

/** Compiles without evaluating anything; evaluation could not do without the estimated cost. */
export function compileDeviceExpression(text: string, environment: Environment): DeviceExpression {
  const compiled = compile(text, environment);
  if ('problem' in compiled) return { kind: 'invalid', problem: `compilation failed: ${compiled.problem}` };
  const { expression, type } = compiled;
  // An attribute may be a boolean.
  if (type.kind !== 'bool' && type.kind !== 'any') {
    return { kind: 'invalid', problem: `must evaluate to bool or the unknown type, not ${typeName(type)}` };
  }
  const problem = programProblem(expression, environment);
  if (problem !== undefined) return { kind: 'internal', problem: `program instantiation failed: ${problem}` };
  return { kind: 'compiled', cost: estimateCost(expression, kubernetesCosts(sizeInDevice)) };
}

const device = 'kubernetes.DRADevice';
const fields = {
  driver: 'string',
  attributes: 'map(string, map(string, any))',
  capacity: 'map(string, map(string, kubernetes.Quantity))',
  allowMultipleAllocations: 'bool',
};

/** What selectors of devices may name. */
export function deviceEnvironment(): Environment {
  const deviceType: MessageType = {
    type: parseType(device),
    fields: new Map(Object.entries(fields).map(([name, type]) => [name, parseType(type)])),
  };
  const variables = [{ name: 'device', type: deviceType.type }];
  return new Environment({
    libraries: [standardLibrary(), wellKnownTypes(), ...kubernetesLibraries(), bindingLibrary(), { functions: [], variables }],
    messages: new Map([...wellKnownMessages(), ...schemaScalars(), [device, deviceType]]),
    constants: wellKnownConstants,
    hasOptionals: true,
  });
}

/** How large a part of a device can be. */
interface Size {
  readonly max: bigint;
  readonly fields?: Readonly<Record<string, Size>>;
  readonly keys?: Size;
  readonly values?: Size;
  /** What a name leads to that is no field. */
  readonly named?: Size;
}

// Attributes are of any type; the longest are texts. Capacities have no size, which upstream only sees where they are looked up by index.
const attribute: Size = { max: 64n };
const domain: Size = { max: 63n };
const identifier: Size = { max: 32n };
const attributes: Size = { max: 32n, keys: identifier, values: attribute, named: attribute };
const capacities: Size = { max: 32n, keys: identifier, values: { max: 0n } };
const deviceSize: Size = {
  max: 0n,
  fields: {
    driver: { max: 63n },
    allowMultipleAllocations: { max: 1n },
    attributes: { max: 32n, keys: domain, values: attributes },
    capacity: { max: 32n, keys: domain, values: capacities },
  },
};

function sizeInDevice({ path: [root, ...path] }: CostNode): Range | undefined {
  if (root !== 'device') return undefined;
  let size: Size | undefined = deviceSize;
  for (const step of path) size = size === undefined ? undefined : sizeAfter(size, step);
  return size === undefined ? undefined : { min: 0n, max: size.max };
}

function sizeAfter({ keys, values, named, fields: known = {} }: Size, step: string): Size | undefined {
  if (step === '@items' || step === '@values') return values;
  if (step === '@keys') return keys;
  return Object.hasOwn(known, step) ? known[step] : named;
}
