// Answers questions about the cluster's domain from caches, by the Kubernetes DNS specification 1.1.0. Pure but for the caches it reads.
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { parseName, reversedAddress, type Subject } from './names.ts';
import { clusterAddresses, type DnsRecord, headlessEndpoints, isHeadless, type NamedPort, servicePorts } from './records.ts';

/** What the zone knows of the cluster. */
export interface ZoneView {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  hasNamespace(name: string): boolean;
  /** The Service that owns a virtual address. */
  serviceOf(ip: string): Service | undefined;
  /** Slices with an endpoint at this address. */
  slicesWith(ip: string): readonly EndpointSlice[];
}

/** `refused` means: not ours, ask elsewhere. An empty `found` is a name that exists without records of the type asked for. */
type ZoneAnswer =
  | { readonly kind: 'found'; readonly answers: readonly DnsRecord[]; readonly additionals: readonly DnsRecord[] }
  | { readonly kind: 'no-such-name' }
  | { readonly kind: 'refused' };

/** As in upstream's CoreDNS configuration. */
const ttl = 30;
const specVersion = '1.1.0';
const serviceLabel = 'kubernetes.io/service-name';

export class Zone {
  readonly domain: string;
  readonly #view: ZoneView;

  /** @param domain `cluster.local`, without dots at the ends. */
  constructor(domain: string, view: ZoneView) {
    this.domain = domain.toLowerCase();
    this.#view = view;
  }

  /** `name` as it was asked, in any case; answers repeat it so, which resolvers with 0x20 mixing check. */
  answer(name: string, type: string): ZoneAnswer {
    const lower = name.toLowerCase().replace(/\.$/, '');
    const ip = reversedAddress(lower);
    if (ip !== undefined) return this.#reverse(name, ip, type);
    if (lower !== this.domain && !lower.endsWith(`.${this.domain}`)) return { kind: 'refused' };
    const labels = lower === this.domain ? [] : lower.slice(0, -this.domain.length - 1).split('.');
    if (labels.length === 0 && type === 'SOA') return found([this.soa()]);
    return this.#forward(name, parseName(labels), type);
  }

  /** The start-of-authority record, which also says for how long a missing name may be remembered. */
  soa(): DnsRecord {
    const { domain } = this;
    const data = {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7_200,
      retry: 1_800,
      expire: 86_400,
      minimum: ttl,
    };
    return { name: domain, type: 'SOA', ttl, data };
  }

  #forward(name: string, subject: Subject, type: string): ZoneAnswer {
    switch (subject.kind) {
      case 'unknown':
        return noSuchName;
      case 'node':
        return found([]);
      case 'version':
        return found(type === 'TXT' ? [{ name, type: 'TXT', ttl, data: specVersion }] : []);
      case 'namespace':
        return this.#view.hasNamespace(subject.namespace) ? found([]) : noSuchName;
      case 'pod':
        return this.#pod(name, subject, type);
      case 'service':
      case 'endpoint':
      case 'port': {
        const service = this.#view.service(subject.namespace, subject.service);
        return service === undefined ? noSuchName : this.#ofService(name, service, subject, type);
      }
    }
  }

  #pod(name: string, { namespace, ip }: Extract<Subject, { kind: 'pod' }>, type: string): ZoneAnswer {
    if (!this.#view.hasNamespace(namespace)) return noSuchName;
    const family = ip.includes(':') ? 'AAAA' : 'A';
    return found(type === family ? [{ name, type: family, ttl, data: ip }] : []);
  }

  #ofService(name: string, service: Service, subject: Extract<Subject, { service: string }>, type: string): ZoneAnswer {
    if (service.spec.type === 'ExternalName') {
      if (subject.kind !== 'service') return noSuchName;
      return found([{ name, type: 'CNAME', ttl, data: service.spec.externalName ?? '' }]);
    }
    if (subject.kind === 'port') return this.#ports(name, service, subject, type);
    const addresses = isHeadless(service) ? this.#endpoints(service) : clusterAddresses(service).map((one) => ({ ...one, host: '' }));
    if (isHeadless(service) && addresses.length === 0) return noSuchName;
    if (subject.kind === 'endpoint') {
      const chosen = isHeadless(service) ? addresses.filter(({ host }) => host === subject.host) : [];
      return chosen.length === 0 ? noSuchName : found(addressRecords(name, chosen, type));
    }
    if (type === 'SRV') return this.#srv(name, service, () => true);
    return found(addressRecords(name, addresses, type));
  }

  #ports(name: string, service: Service, { port, protocol }: Extract<Subject, { kind: 'port' }>, type: string): ZoneAnswer {
    const isAsked = (one: NamedPort): boolean => one.name === port && one.protocol === protocol;
    const answer = this.#srv(name, service, isAsked);
    if (answer.kind !== 'found' || answer.answers.length === 0) return noSuchName;
    return type === 'SRV' ? answer : found([]);
  }

  #srv(name: string, service: Service, isAsked: (port: NamedPort) => boolean): ZoneAnswer {
    const base = this.#nameOf(service);
    const targets = isHeadless(service)
      ? this.#endpoints(service).map((one) => ({ target: `${one.host}.${base}`, addresses: [one], ports: one.ports }))
      : [{ target: base, addresses: clusterAddresses(service), ports: servicePorts(service) }];
    const answers = targets.flatMap(({ target, ports }) => ports.filter(isAsked).map(({ port }) => ({ target, port })));
    const weight = Math.max(1, Math.floor(100 / Math.max(1, answers.length)));
    return found(
      answers.map(({ target, port }) => ({ name, type: 'SRV', ttl, data: { priority: 0, weight, port, target } })),
      targets.flatMap(({ target, addresses }) => addresses.map(({ ip, family }) => ({ name: target, type: family, ttl, data: ip }))),
    );
  }

  #reverse(name: string, ip: string, type: string): ZoneAnswer {
    const owner = this.#view.serviceOf(ip);
    const targets = owner !== undefined ? [this.#nameOf(owner)] : this.#headlessNames(ip);
    if (targets.length === 0) return { kind: 'refused' };
    return found(type === 'PTR' ? targets.map((data) => ({ name, type: 'PTR', ttl, data })) : []);
  }

  #headlessNames(ip: string): string[] {
    return this.#view.slicesWith(ip).flatMap((slice) => {
      const { namespace = '', labels = {} } = slice.metadata;
      const service = this.#view.service(namespace, labels[serviceLabel] ?? '');
      if (service === undefined || !isHeadless(service)) return [];
      return headlessEndpoints([slice])
        .filter((one) => one.ip === ip)
        .map(({ host }) => `${host}.${this.#nameOf(service)}`);
    });
  }

  #endpoints({ metadata }: Service): ReturnType<typeof headlessEndpoints> {
    return headlessEndpoints(this.#view.slices(metadata.namespace ?? '', metadata.name ?? ''));
  }

  #nameOf({ metadata }: Service): string {
    return `${metadata.name}.${metadata.namespace}.svc.${this.domain}`;
  }
}

const noSuchName: ZoneAnswer = { kind: 'no-such-name' };

function found(answers: readonly DnsRecord[], additionals: readonly DnsRecord[] = []): ZoneAnswer {
  return { kind: 'found', answers, additionals };
}

function addressRecords(
  name: string,
  addresses: readonly { readonly ip: string; readonly family: 'A' | 'AAAA' }[],
  type: string,
): DnsRecord[] {
  return addresses
    .filter(({ family }) => type === family || type === 'ANY')
    .map(({ ip, family }) => ({ name, type: family, ttl, data: ip }));
}
