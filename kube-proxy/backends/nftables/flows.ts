import type { Dispatch } from '../../model/dispatch.ts';

/** The words of `conntrack` that select a UDP front's flows. */
export function flowsOf({ at, address, port }: Dispatch): readonly string[] {
  return ['-p', 'udp', '--orig-port-dst', String(port), ...(at === 'address' ? ['--orig-dst', address] : [])];
}

/**
 * Which flows in a listing of `conntrack -L -p udp --dst-nat` lead to what is no endpoint of their front any more, as words that select
 * each for deletion. Flows to addresses that are no fronts belong to others. Node ports are known by their port alone.
 */
export function staleFlows(listing: string, dispatches: Iterable<Dispatch>): readonly (readonly string[])[] {
  const fronts = new Map<string, { readonly dispatch: Dispatch; readonly targets: Set<string> }>();
  for (const dispatch of dispatches) {
    if (dispatch.protocol !== 'udp') continue;
    const key = `${dispatch.address}:${dispatch.port}`;
    const known = fronts.get(key) ?? { dispatch, targets: new Set<string>() };
    for (const { ip, port } of dispatch.endpoints) known.targets.add(`${ip}:${port}`);
    fronts.set(key, known);
  }
  const stale = new Map<string, readonly string[]>();
  for (const line of listing.split('\n')) {
    const [, to = '', toPort = '', from = '', fromPort = ''] = flowLine.exec(line) ?? [];
    const front = fronts.get(`${to}:${toPort}`) ?? fronts.get(`:${toPort}`);
    if (front === undefined || front.targets.has(`${from}:${fromPort}`)) continue;
    stale.set(`${to}:${toPort} ${from}`, [...flowsOf(front.dispatch), '--dst-nat', from]);
  }
  return [...stale.values()];
}

/** Destination and its port as the client sent them, then the source and its port of replies: the endpoint. */
const flowLine = /\bdst=(\S+) sport=\d+ dport=(\d+) .*?\bsrc=(\S+) dst=\S+ sport=(\d+)/;
