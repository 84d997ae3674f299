// Which member calls go to. The members are gRPC servers of the test's own, so that they fail as they are told.
import { setImmediate } from 'node:timers/promises';
import { Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { EtcdConnection } from './connection.ts';
import { encodeRange, methods } from './messages.ts';

const noTls = { caFile: undefined, certFile: undefined, keyFile: undefined };
const { signal } = new AbortController();
const pass = (bytes: Buffer): Buffer => bytes;

/** Answers ranges with its own name. */
class TestMember implements AsyncDisposable {
  /** Keys that it never answers. */
  readonly silentOn = new Set<string>();
  refusal: string | undefined;
  /** All members' addresses. */
  cluster: readonly string[] = [];
  asked = 0;
  url = '';
  readonly #name: string;
  readonly #id: number;
  readonly #server = new Server();

  private constructor(id: number) {
    this.#id = id;
    this.#name = `member-${id}`;
  }

  static async start(id: number): Promise<TestMember> {
    const member = new TestMember(id);
    const unary = { requestStream: false, responseStream: false, requestDeserialize: pass, requestSerialize: pass } as const;
    const answer = { responseDeserialize: pass, responseSerialize: pass };
    member.#server.addService(
      { range: { path: methods.range, ...unary, ...answer }, members: { path: methods.members, ...unary, ...answer } },
      {
        range: ({ request }: { request: Buffer }, done: (error: Partial<ServiceError> | null, answer?: Buffer) => void) => {
          member.asked++;
          if ([...member.silentOn].some((key) => request.includes(key))) return;
          if (member.refusal === undefined) done(null, Buffer.from(member.#name));
          else done({ code: status.UNAVAILABLE, details: member.refusal });
        },
        members: (_: unknown, done: (error: Partial<ServiceError> | null, answer?: Buffer) => void) => {
          if (member.refusal === undefined) done(null, member.#memberList());
          else done({ code: status.UNAVAILABLE, details: member.refusal });
        },
      },
    );
    const { promise, resolve } = Promise.withResolvers<number>();
    member.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, port) => resolve(port));
    member.url = `http://127.0.0.1:${await promise}`;
    return member;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    await Promise.resolve();
  }

  #memberList(): Buffer {
    const writer = protobuf.Writer.create();
    writer.uint32(10).fork().uint32(16).uint64(this.#id).ldelim();
    for (const [at, url] of this.cluster.entries()) {
      writer.uint32(18).fork();
      writer
        .uint32(8)
        .uint64(at + 1)
        .uint32(34)
        .string(url)
        .ldelim();
    }
    return Buffer.from(writer.finish());
  }
}

let open: AsyncDisposableStack;
let clock: FakeClock;
let first: TestMember;
let second: TestMember;

beforeEach(async () => {
  open = new AsyncDisposableStack();
  clock = new FakeClock();
  first = open.use(await TestMember.start(1));
  second = open.use(await TestMember.start(2));
});
afterEach(() => open[Symbol.asyncDispose]());

async function connected(...members: readonly TestMember[]): Promise<EtcdConnection> {
  return open.use(await EtcdConnection.open({ servers: members.map(({ url }) => url), tls: noTls, clock, log: silentLog }));
}

async function ask(connection: EtcdConnection, key = 'a'): Promise<string> {
  return Buffer.from(await connection.call(methods.range, encodeRange({ key }), { timeoutMs: 1_000, signal })).toString();
}

/** Begins a call and lets it come to the member. */
async function begin(connection: EtcdConnection, member: TestMember, key: string): Promise<{ readonly outcome: Promise<unknown> }> {
  const { asked } = member;
  const outcome = ask(connection, key).catch((error: unknown) => error);
  while (member.asked === asked) await setImmediate();
  return { outcome };
}

test('a member that does not answer in time is left, with all that waits for it', async () => {
  const connection = await connected(first, second);
  for (const key of ['early', 'late']) first.silentOn.add(key);
  const early = await begin(connection, first, 'early');
  await clock.advance(600);
  const late = await begin(connection, first, 'late');
  await clock.advance(400);
  expect(await early.outcome).toMatchObject({ verdict: 'again', storeCode: 'timeout' });
  expect(await late.outcome).toMatchObject({ verdict: 'again', storeCode: 'unavailable' });
  expect(await ask(connection)).toBe('member-2');
});

test('one that answered others meanwhile is not: the write was lost behind it', async () => {
  const connection = await connected(first, second);
  first.silentOn.add('lost');
  const lost = await begin(connection, first, 'lost');
  await clock.advance(999);
  expect(await ask(connection)).toBe('member-1');
  await clock.advance(1);
  expect(await lost.outcome).toMatchObject({ storeCode: 'timeout' });
  expect(await ask(connection)).toBe('member-1');
});

test('a member without a leader is left when that lasts longer than an election', async () => {
  const connection = await connected(first, second);
  first.refusal = 'etcdserver: no leader';
  for (const advanceMs of [0, 300, 1]) {
    await clock.advance(advanceMs);
    await expect(ask(connection)).rejects.toThrow('no leader');
    if (advanceMs < 1) expect(connection.server).toBe(first.url);
  }
  expect(await ask(connection)).toBe('member-2');
});

test('an election that is over is forgotten', async () => {
  const connection = await connected(first, second);
  for (let round = 0; round < 3; round++) {
    first.refusal = 'etcdserver: leader changed';
    await expect(ask(connection)).rejects.toThrow('leader changed');
    first.refusal = undefined;
    expect(await ask(connection)).toBe('member-1');
    await clock.advance(1_000);
  }
});

test('others stand in for the one member that was given, until it is back', async () => {
  first.cluster = [first.url, second.url];
  const connection = await connected(first);
  // It is asked for the others beside the first call.
  expect(await ask(connection)).toBe('member-1');
  while (connection.servers.length < 2) await setImmediate();
  expect(connection.servers).toEqual([first.url, second.url]);

  first.refusal = 'etcdserver: server stopped';
  await expect(ask(connection)).rejects.toThrow('server stopped');
  expect(await ask(connection)).toBe('member-2');

  first.refusal = undefined;
  await clock.advance(15_000);
  expect(await ask(connection)).toBe('member-2');
  while (connection.server !== first.url) await setImmediate();
  expect(await ask(connection)).toBe('member-1');
});

test('members that are gone stand in no more; where several are given, nobody does', async () => {
  const third = open.use(await TestMember.start(3));
  const all = [first.url, second.url, third.url];
  first.cluster = all;
  const [sole, several] = [await connected(first), await connected(first, second)];
  for (const connection of [sole, several]) await ask(connection);
  while (sole.servers.length < 3) await setImmediate();
  expect(several.servers).toEqual([first.url, second.url]);
  first.cluster = all.slice(0, 2);
  await clock.advance(15_000);
  await ask(sole);
  while (sole.servers.length > 2) await setImmediate();
  expect(sole.servers).toEqual([first.url, second.url]);
});
