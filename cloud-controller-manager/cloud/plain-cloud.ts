// Plain machines: what is true of them is what a file says, which is read again when it changes. A broken file changes nothing.
import { readFileSync, statSync } from 'node:fs';
import type { Node } from '#api/core/node/node.ts';
import { reasonOf } from '#base/write-file.ts';
import type { Log } from '#base/log.ts';
import type { Pool } from '#client/load-balancer/plan.ts';
import { type Cloud, type Machine, providedIpAnnotation } from './contract.ts';
import { defaultProviderId, parsePlainDocument, type PlainDocument } from './plain-document.ts';

export class PlainCloud implements Cloud {
  readonly name = 'plain';
  readonly pool: (() => Pool) | undefined;
  readonly #path: string;
  readonly #log: Log;
  #document: PlainDocument;
  #stamp: string;

  /** Reads the file; throws an Error that says what is wrong with it. */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#stamp = this.#readStamp();
    this.#document = parsePlainDocument(readFileSync(path, 'utf8'));
    // Where the file has none, no Service gets an address.
    this.pool = this.#document.pool === undefined ? undefined : () => this.#current().pool ?? { ranges: [] };
  }

  findMachine(node: Node): Promise<Machine | undefined> {
    const { machines } = this.#current();
    const { providerID = '' } = node.spec ?? {};
    const name = node.metadata.name ?? '';
    if (machines === undefined) return Promise.resolve(machineOfNode(name, node));
    if (providerID === '') return Promise.resolve(machines.get(name));
    return Promise.resolve([...machines.values()].find(({ providerId }) => providerId === providerID));
  }

  #current(): PlainDocument {
    const stamp = this.#readStamp();
    if (stamp === this.#stamp) return this.#document;
    this.#stamp = stamp;
    try {
      this.#document = parsePlainDocument(readFileSync(this.#path, 'utf8'));
      this.#log.info({ file: this.#path }, 'the cloud configuration was read again');
    } catch (error) {
      this.#log.error({ file: this.#path, why: reasonOf(error) }, 'the cloud configuration is broken; what it said before holds');
    }
    return this.#document;
  }

  #readStamp(): string {
    const { mtimeMs, size, ino } = statSync(this.#path, { throwIfNoEntry: false }) ?? {};
    return `${mtimeMs} ${size} ${ino}`;
  }
}

/** No provider knows the machines: what the node reports is taken as it is. */
function machineOfNode(name: string, { metadata, spec, status }: Node): Machine {
  const given = metadata.annotations?.[providedIpAnnotation]?.split(',') ?? [];
  return {
    providerId: spec?.providerID ?? defaultProviderId(name),
    state: 'running',
    addresses: given.length > 0 ? given.map((text) => ({ type: 'InternalIP', address: text.trim() })) : (status?.addresses ?? []),
    instanceType: '',
    zone: '',
    region: '',
    labels: {},
  };
}
