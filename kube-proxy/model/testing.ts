import type { Dispatch, EndpointAddress } from './dispatch.ts';

/** A dispatch at 10.96.0.5:80 without endpoints, with these overrides. */
export function aDispatch(change: Partial<Dispatch> = {}): Dispatch {
  return {
    at: 'address',
    clients: 'all',
    protocol: 'tcp',
    address: '10.96.0.5',
    port: 80,
    endpoints: [],
    affinitySeconds: undefined,
    masquerade: 'outside-pods',
    whenEmpty: 'reject',
    isVirtual: false,
    sourceRanges: [],
    ...change,
  };
}

/** Endpoints on port 8080. */
export function someEndpoints(...ips: readonly string[]): readonly EndpointAddress[] {
  return ips.map((ip) => ({ ip, port: 8_080 }));
}
