// One call of grpc.health.v1.Health/Check without a gRPC library: a unary call is one HTTP/2 request with a length-prefixed message.
import { type ClientHttp2Session, connect } from 'node:http2';

const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

interface GrpcHealth {
  /** SERVING, NOT_SERVING, … */
  readonly status: string;
}

/** The server answered with a gRPC error; `code` is its number (12: it has no health service). */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Asks for the health of `service` ('' is the server as a whole). Throws GrpcError, or what the connection says. */
export async function askGrpcHealth(
  {
    host,
    port,
    service,
    userAgent,
  }: { readonly host: string; readonly port: number; readonly service: string; readonly userAgent: string },
  signal: AbortSignal,
): Promise<GrpcHealth> {
  const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const onAbort = (): void => session.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const message = await call(session, encodeRequest(service), userAgent);
    return { status: statusNames[decodeStatus(message)] ?? 'UNKNOWN' };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    session.destroy();
  }
}

function call(session: ClientHttp2Session, message: Buffer, userAgent: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': userAgent,
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let code: number | undefined;
    let words = '';
    const note = (headers: Record<string, unknown>): void => {
      const status = headers['grpc-status'];
      if (status === undefined) return;
      code = Number(status);
      words = decodeURIComponent(String(headers['grpc-message'] ?? ''));
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      if (code === 0) resolve(Buffer.concat(chunks).subarray(5));
      else reject(new GrpcError(code ?? 14, words === '' ? 'the server sent no gRPC status' : words));
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}

/** HealthCheckRequest: field 1 is a string. */
function encodeRequest(service: string): Buffer {
  const bytes = Buffer.from(service);
  if (bytes.length === 0) return bytes;
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest);
      break;
    }
    length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
}

/** HealthCheckResponse: field 1 is an enum; absent is 0. */
function decodeStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
