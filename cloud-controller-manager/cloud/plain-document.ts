// The file that `--cloud-config` names for plain machines. Machines that it lists exist, and no others; without a list every node is one.
import { parse } from 'yaml';
import type { V1NodeAddress } from '#api/generated/types.ts';
import { type Shape, shapeProblems } from '#base/document-shape.ts';
import type { Pool } from '#client/load-balancer/plan.ts';
import { parseRange } from '#client/load-balancer/pool.ts';
import type { Machine } from './contract.ts';

const apiVersion = 'cloud.coxswain.dev/v1alpha1';
const kind = 'PlainCloud';
const addressTypes = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'];
/** Labels there are the controllers' own affair. */
const kubernetesLabel = /(^|\.)(kubernetes|k8s)\.io\//;

const shape: Shape = {
  apiVersion: 'string',
  kind: 'string',
  loadBalancers: { ranges: ['string'], class: 'string' },
  machines: [
    {
      name: 'string',
      providerID: 'string',
      state: 'string',
      addresses: [{ type: 'string', address: 'string' }],
      instanceType: 'string',
      zone: 'string',
      region: 'string',
      labels: 'map',
    },
  ],
};

export interface PlainDocument {
  readonly pool: Pool | undefined;
  /** By name; undefined where the file has no list. */
  readonly machines: ReadonlyMap<string, Machine> | undefined;
}

interface RawDocument {
  readonly loadBalancers?: { readonly ranges?: readonly string[]; readonly class?: string };
  readonly machines?: readonly RawMachine[];
}

interface RawMachine {
  readonly name?: string;
  readonly providerID?: string;
  readonly state?: string;
  readonly addresses?: readonly V1NodeAddress[];
  readonly instanceType?: string;
  readonly zone?: string;
  readonly region?: string;
  readonly labels?: Readonly<Record<string, unknown>>;
}

/** Throws an Error that says what is wrong. */
export function parsePlainDocument(text: string): PlainDocument {
  const document = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  if (document['kind'] !== kind || document['apiVersion'] !== apiVersion) throw new Error(`it must be a ${kind} of ${apiVersion}`);
  const problems = shapeProblems(document, shape);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const { loadBalancers, machines } = document as RawDocument;
  return {
    pool:
      loadBalancers === undefined
        ? undefined
        : { ranges: (loadBalancers.ranges ?? []).map(parseRange), loadBalancerClass: loadBalancers.class },
    machines: machines === undefined ? undefined : machinesOf(machines),
  };
}

export function defaultProviderId(name: string): string {
  return `plain://${name}`;
}

function machinesOf(list: readonly RawMachine[]): ReadonlyMap<string, Machine> {
  const machines = new Map<string, Machine>();
  const ids = new Set<string>();
  for (const [at, raw] of list.entries()) {
    const path = `machines[${at}]`;
    const { name = '' } = raw;
    const machine = machineOf(raw, path);
    if (name === '') throw new Error(`${path}.name: must be said`);
    if (machines.has(name)) throw new Error(`${path}.name: ${JSON.stringify(name)} is there twice`);
    if (ids.has(machine.providerId)) throw new Error(`${path}.providerID: ${JSON.stringify(machine.providerId)} is there twice`);
    machines.set(name, machine);
    ids.add(machine.providerId);
  }
  return machines;
}

function machineOf(raw: RawMachine, path: string): Machine {
  const { name = '', providerID = defaultProviderId(name), state = 'running', addresses = [], labels = {} } = raw;
  if (state !== 'running' && state !== 'shut-down') throw new Error(`${path}.state: must be running or shut-down`);
  for (const { type, address } of addresses) {
    if (!addressTypes.includes(type)) throw new Error(`${path}.addresses: a type must be one of ${addressTypes.join(', ')}`);
    if (address === undefined || address === '') throw new Error(`${path}.addresses: an address must be said`);
  }
  const [foreign] = Object.keys(labels).filter((key) => kubernetesLabel.test(key));
  if (foreign !== undefined) throw new Error(`${path}.labels: ${foreign} is a label of Kubernetes' own`);
  return {
    providerId: providerID,
    state,
    addresses,
    instanceType: raw.instanceType ?? '',
    zone: raw.zone ?? '',
    region: raw.region ?? '',
    labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])),
  };
}
