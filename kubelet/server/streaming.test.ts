import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Answer, ServerRig } from './testing.ts';

let rig: ServerRig;

beforeAll(async () => {
  rig = await ServerRig.start();
});

afterAll(() => rig.stop());

/** Everything the server says, by channel, until it closes. */
class Session {
  readonly socket: WebSocket;
  readonly #said = new Map<number, Buffer>();
  readonly #over: Promise<unknown>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.#over = once(socket, 'close');
    socket.on('message', (data: Buffer) => {
      const channel = data[0] ?? 0;
      this.#said.set(channel, Buffer.concat([this.#said.get(channel) ?? Buffer.alloc(0), data.subarray(1)]));
    });
  }

  send(channel: number, text: string): void {
    this.socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
  }

  said(channel: number): string {
    return (this.#said.get(channel) ?? Buffer.alloc(0)).toString();
  }

  over(): Promise<unknown> {
    return this.#over;
  }
}

async function open(path: string, protocol = 'v5.channel.k8s.io'): Promise<Session> {
  const socket = await rig.open(path, protocol);
  if (!(socket instanceof WebSocket)) throw new Error(`refused: ${JSON.stringify(socket)}`);
  return new Session(socket);
}

describe('exec and attach', () => {
  it('carry input, both outputs and the exit code', async () => {
    const session = await open('/exec/shop/web/main?command=shout&input=1&output=1&error=1');
    session.send(0, 'loud');
    session.send(255, '\0');
    await session.over();
    expect([session.said(1), session.said(2)]).toEqual(['LOUD', 'done\n']);
    expect(JSON.parse(session.said(3))).toMatchObject({ status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '7' }] } });
  });

  it('hand the whole command on, and say success', async () => {
    const session = await open('/exec/shop/web/main?command=greet&command=a%20b&command=c&output=1');
    await session.over();
    expect(session.said(1)).toBe('hello a b,c\n');
    expect(JSON.parse(session.said(3))).toEqual({ metadata: {}, status: 'Success' });
  });

  it.each<[string, number, string]>([
    ['/exec/shop/web/none?command=x&output=1', 500, 'container not found ("none")'],
    ['/exec/shop/gone/main?command=x&output=1', 404, 'pod does not exist'],
    ['/exec/shop/web/u2/main?command=x&output=1', 404, 'pod not found'],
    ['/attach/shop/web/main', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
    ['/pods', 400, 'Bad Request: nothing to upgrade to here'],
  ])('refuse %s', async (path, status, text) => {
    const answer = (await rig.open(path, 'v5.channel.k8s.io')) as Answer;
    expect({ status: answer.status, text: answer.text.trim() }).toEqual({ status, text });
  });

  it('refuse others than the API server', async () => {
    const answer = await rig.open('/exec/shop/web/main?command=x&output=1', 'v5.channel.k8s.io', await rig.client('somebody'));
    expect(answer).toMatchObject({ status: 403 });
  });
});

describe('port-forward', () => {
  /** The first two bytes of each channel are the port. */
  const portBytes = 2;

  it('carries bytes to the pod’s port and back', async () => {
    const session = await open('/portForward/shop/web?port=80', 'v4.channel.k8s.io');
    session.send(0, 'there');
    while (session.said(0).length < portBytes + 'hello there'.length) await once(session.socket, 'message');
    expect(session.said(0).slice(portBytes)).toBe('hello there');
    session.socket.close();
    await session.over();
  });

  it('says when nobody listens', async () => {
    const session = await open('/portForward/shop/web?port=81', 'v4.channel.k8s.io');
    while (session.said(1).length <= portBytes) await once(session.socket, 'message');
    const why = 'failed to connect to localhost:81 inside the pod: connect ECONNREFUSED 127.0.0.1:81';
    expect(session.said(1).slice(portBytes)).toBe(`error forwarding port 81 to pod web, uid u1: ${why}`);
    await session.over();
  });

  it('refuses what is no port', async () => {
    expect(await rig.open('/portForward/shop/web?port=0', 'v4.channel.k8s.io')).toMatchObject({ status: 400 });
  });
});

describe('a container that ends', () => {
  it('ends its attached sessions', async () => {
    const session = await open('/attach/shop/web/main?output=1');
    await rig.endContainer();
    await session.over();
    expect(JSON.parse(session.said(3))).toEqual({ metadata: {}, status: 'Success' });
    const late = await rig.open('/exec/shop/web/main?command=greet&output=1', 'v4.channel.k8s.io');
    expect(late).toEqual({ status: 500, text: 'container not found ("main")\n' });
  });
});
