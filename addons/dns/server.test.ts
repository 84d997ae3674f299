import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type DecodedPacket, decode as decodePacket, encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { Clients } from './clients.ts';
import { Forwarder } from './forwarder.ts';
import { Resolver } from './resolver.ts';
import { resolversOf } from './resolv-conf.ts';
import { DnsServer } from './server.ts';
import { Zone, type ZoneView } from './zone.ts';

type Reply = DecodedPacket & { rcode?: string };
const never = new AbortController().signal;
const many = Array.from({ length: 200 }, (_, index) => `10.244.${index >> 8}.${index & 255}`);
const service = (spec: Partial<Service['spec']>): Service => ({ metadata: { name: 'x', namespace: 'shop' }, spec: { ports: [], ...spec } });
const services: Record<string, Service> = {
  web: service({ clusterIP: '10.96.0.5' }),
  many: service({ clusterIP: 'None' }),
  out: service({ type: 'ExternalName', externalName: 'www.example.com' }),
  inside: service({ type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
  circle: service({ type: 'ExternalName', externalName: 'circle.shop.svc.cluster.local' }),
};
for (const [name, one] of Object.entries(services)) one.metadata.name = name;
const manySlice = {
  metadata: {},
  addressType: 'IPv4',
  ports: [],
  endpoints: many.map((ip) => ({ addresses: [ip] })),
} as unknown as EndpointSlice;
const view: ZoneView = {
  service: (namespace, name) => (namespace === 'shop' ? services[name] : undefined),
  slices: (_, name) => (name === 'many' ? [manySlice] : []),
  hasNamespace: (name) => name === 'shop',
  serviceOf: () => undefined,
  slicesWith: () => [],
};
const zone = new Zone('cluster.local', view);

const query = (name: string, type: string, more: Record<string, unknown> = {}): Buffer =>
  encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ type, name }], ...more } as Packet);
const edns = (udpPayloadSize: number, ednsVersion = 0): Record<string, unknown> => ({
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize, ednsVersion, flags: 0, options: [] }],
});

/** A resolver of the outside world on a free port of loopback: knows www.example.com, and says nothing about `silent`. */
class Outside {
  readonly #udp = createSocket('udp4');
  readonly #tcp = createServer();
  asked = 0;
  port = 0;

  async start(): Promise<void> {
    this.#tcp.on('connection', (socket) => {
      socket.on('data', (bytes) => {
        const reply = this.#reply(bytes.subarray(2));
        socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
      });
      socket.on('error', () => socket.destroy());
    });
    await once(this.#tcp.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.#tcp.address() as AddressInfo).port;
    this.#udp.on('message', (bytes, from) => {
      const reply = this.#reply(bytes);
      const forged = Buffer.from(reply);
      forged.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0);
      this.#udp.send(forged, from.port, from.address);
      this.#udp.send(reply, from.port, from.address);
    });
    this.#udp.bind(this.port, '127.0.0.1');
    await once(this.#udp, 'listening');
  }

  stop(): void {
    this.#udp.close();
    this.#tcp.close();
  }

  #reply(bytes: Buffer): Buffer {
    this.asked++;
    const { id = 0, questions = [] } = decodePacket(bytes);
    const [question] = questions;
    const isKnown = question?.name === 'www.example.com' && question.type === 'A';
    const answers = isKnown ? [{ type: 'A', name: question.name, ttl: 60, data: '192.0.2.80' }] : [];
    return encode({ type: 'response', id, flags: 0x8180 | (isKnown ? 0 : 3), questions, answers } as Packet);
  }
}

describe('DnsServer', () => {
  const outside = new Outside();
  const life = new AbortController();
  let server: DnsServer;
  let ended: Promise<void>;
  beforeAll(async () => {
    await outside.start();
    const forwarder = new Forwarder({ servers: () => ['127.0.0.1'], port: outside.port, clock: systemClock });
    const resolver = new Resolver({ zone, forwarder, log: silentLog });
    const clients = new Clients(['127.0.0.0/30'], () => false);
    server = new DnsServer({ host: '127.0.0.1', port: 0, resolver, clients, log: silentLog });
    const ready = Promise.withResolvers<void>();
    ended = server.run(life.signal, () => ready.resolve());
    await Promise.race([ready.promise, ended]);
  });
  afterAll(async () => {
    life.abort(new Error('the test is over'));
    await ended;
    outside.stop();
  });

  const overUdp = async (bytes: Buffer, from = '127.0.0.1', waitMs = 5_000): Promise<Reply & { size: number }> => {
    const socket = createSocket('udp4');
    using limit = systemClock.deadline(never, waitMs);
    try {
      socket.bind(0, from);
      await once(socket, 'listening');
      socket.send(bytes, server.port, '127.0.0.1');
      const [message] = (await once(socket, 'message', { signal: limit.signal })) as [Buffer];
      return { ...decodePacket(message), size: message.length };
    } finally {
      socket.close();
    }
  };
  /** All queries on one connection, in pieces of `pieceBytes`; the replies in their order. */
  const overTcp = async (queries: readonly Buffer[], pieceBytes = 65_536): Promise<Reply[]> => {
    const socket = connect(server.port, '127.0.0.1');
    socket.setNoDelay(true);
    const stream = Buffer.concat(queries.flatMap((one) => [Buffer.from([one.length >> 8, one.length & 255]), one]));
    for (let at = 0; at < stream.length; at += pieceBytes) socket.write(stream.subarray(at, at + pieceBytes));
    const replies: Reply[] = [];
    let received: Buffer = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        replies.push(decodePacket(received.subarray(2, 2 + received.readUInt16BE(0))));
        received = received.subarray(2 + received.readUInt16BE(0));
      }
      if (replies.length === queries.length) break;
    }
    socket.destroy();
    return replies;
  };

  test('answers by UDP and by TCP, with the id and the question asked', async () => {
    const asked = query('WEB.shop.svc.cluster.local', 'A');
    for (const reply of [await overUdp(asked), ...(await overTcp([asked], 3))]) {
      expect(reply).toMatchObject({ id: 7, rcode: 'NOERROR', flag_aa: true, flag_ra: true, flag_rd: true });
      expect(reply.questions).toMatchObject([{ name: 'WEB.shop.svc.cluster.local' }]);
      expect(reply.answers).toMatchObject([{ name: 'WEB.shop.svc.cluster.local', data: '10.96.0.5', ttl: 30 }]);
    }
  });

  test('a missing name comes with the zone, so that it may be remembered', async () => {
    const reply = await overUdp(query('no.shop.svc.cluster.local', 'A'));
    expect(reply).toMatchObject({ rcode: 'NXDOMAIN', answers: [], authorities: [{ type: 'SOA', name: 'cluster.local' }] });
  });

  test.each([
    ['plain', {}, 512],
    ['asking for less than the least', edns(100), 512],
    ['asking for more', edns(4_096), 1_232],
  ])('what is too long for UDP is cut to what fits, %s; TCP has all', async (_name, more, limitBytes) => {
    const reply = await overUdp(query('many.shop.svc.cluster.local', 'A', more));
    expect(reply.flag_tc).toBe(true);
    expect(reply.size).toBeLessThanOrEqual(limitBytes);
    expect(reply.answers?.length).toBeGreaterThan((limitBytes - 120) / 50);
    const [whole] = await overTcp([query('many.shop.svc.cluster.local', 'A')]);
    expect(whole?.flag_tc).toBe(false);
    expect(whole?.answers).toHaveLength(200);
  });

  test('each address is first once in a while', async () => {
    const replies = await Promise.all(Array.from({ length: 12 }, () => overUdp(query('many.shop.svc.cluster.local', 'A'))));
    expect(new Set(replies.map(({ answers }) => JSON.stringify(answers?.[0]))).size).toBeGreaterThan(3);
  });

  test('other names go to the host’s resolvers; what is forged does not come through', async () => {
    for (const reply of [await overUdp(query('www.example.com', 'A')), ...(await overTcp([query('www.example.com', 'A')]))]) {
      expect(reply).toMatchObject({ id: 7, rcode: 'NOERROR', answers: [{ data: '192.0.2.80' }] });
    }
    expect(await overUdp(query('no.example.com', 'A'))).toMatchObject({ rcode: 'NXDOMAIN' });
    expect(await overUdp(query('single', 'A'))).toMatchObject({ rcode: 'NXDOMAIN' });
  });

  test.each<[string, string, string[]]>([
    ['out', 'A', ['CNAME www.example.com', 'A 192.0.2.80']],
    ['out', 'CNAME', ['CNAME www.example.com']],
    ['inside', 'A', ['CNAME web.shop.svc.cluster.local', 'A 10.96.0.5']],
    ['inside', 'AAAA', ['CNAME web.shop.svc.cluster.local']],
    ['circle', 'A', Array.from({ length: 9 }, () => 'CNAME circle.shop.svc.cluster.local')],
  ])('an ExternalName comes with what it leads to: %s %s', async (name, type, expected) => {
    const reply = await overUdp(query(`${name}.shop.svc.cluster.local`, type, edns(4_096)));
    expect(reply.answers?.map((record) => `${record.type} ${String('data' in record ? record.data : '')}`)).toEqual(expected);
  });

  test.each([
    ['another operation', Buffer.from('000720000001000000000000016100 0001 0001'.replaceAll(' ', ''), 'hex'), 'NOTIMP'],
    [
      'another class',
      query('web.shop.svc.cluster.local', 'A', { questions: [{ type: 'A', class: 'CH', name: 'version.bind' }] }),
      'REFUSED',
    ],
    ['another EDNS', query('web.shop.svc.cluster.local', 'A', edns(1_232, 1)), 'NOERROR'],
    ['nonsense', Buffer.from('0007010000010000000000ffff', 'hex'), 'FORMERR'],
  ])('%s is refused', async (_name, bytes, code) => {
    const reply = await overUdp(bytes);
    expect(reply.rcode).toBe(code);
    expect(reply.answers).toEqual([]);
  });

  test('replies are not answered, and neither are strangers', async () => {
    const reply = query('web.shop.svc.cluster.local', 'A');
    reply.writeUInt16BE(0x8100, 2);
    await expect(overUdp(reply, '127.0.0.1', 100)).rejects.toThrow();
    await expect(overUdp(query('web.shop.svc.cluster.local', 'A'), '127.0.0.9', 100)).rejects.toThrow();
  });

  test('many questions at once, and many on one connection in their order', async () => {
    const replies = await Promise.all(Array.from({ length: 300 }, (_, id) => overUdp(query('web.shop.svc.cluster.local', 'A', { id }))));
    expect(replies.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, id) => id));
    const names = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'www.example.com' : 'web.shop.svc.cluster.local'));
    const inOrder = await overTcp(names.map((name, id) => query(name, 'A', { id })));
    expect(inOrder.map(({ id }) => id)).toEqual(names.map((_, id) => id));
  });

  test('whatever comes, it goes on', async () => {
    const socket = createSocket('udp4');
    const base = query('web.shop.svc.cluster.local', 'A', edns(1_232));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(base.length),
        (changes, length) => {
          const bytes = Buffer.from(base);
          for (const [at, value] of changes) bytes[at] = value;
          socket.send(bytes.subarray(0, length), server.port, '127.0.0.1');
        },
      ),
      { numRuns: 500 },
    );
    expect((await overUdp(query('web.shop.svc.cluster.local', 'A'))).rcode).toBe('NOERROR');
    socket.close();
  });
});

describe('without resolvers', () => {
  const resolver = new Resolver({ zone, forwarder: new Forwarder({ servers: () => [], clock: systemClock }), log: silentLog });
  const codeFor = async (name: string): Promise<string | undefined> =>
    (decodePacket((await resolver.reply(query(name, 'A'), 'udp', never)) ?? Buffer.alloc(12)) as Reply).rcode;

  test.each([
    ['single', 'NXDOMAIN'],
    ['example.com', 'SERVFAIL'],
    ['out.shop.svc.cluster.local', 'SERVFAIL'],
    ['kubernetes.default', 'SERVFAIL'],
  ])('%s: %s', async (name, code) => {
    expect(await codeFor(name)).toBe(code);
  });

  test('random messages never throw, and what is answered repeats the id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        const reply = await resolver.reply(Buffer.from(bytes), 'udp', never);
        if (reply !== undefined) expect(reply.subarray(0, 2)).toEqual(Buffer.from(bytes).subarray(0, 2));
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['what would lead back here is left out', 'search x\nnameserver 10.96.0.10\n nameserver 192.168.77.1\n', ['192.168.77.1']],
  [
    'what is no address is left out',
    'nameserver bad\n#nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver 192.0.2.3 # why\n',
    ['192.0.2.3'],
  ],
  ['three count, each once', [1, 1, 2, 3, 4].map((n) => `nameserver 192.0.2.${n}`).join('\n'), ['192.0.2.1', '192.0.2.2', '192.0.2.3']],
  ['IPv6 counts', 'nameserver fe80::1%eth0\n', ['fe80::1%eth0']],
])('resolv.conf: %s', (_name, text, expected) => {
  expect(resolversOf(text, ['10.96.0.10'])).toEqual(expected);
});
