// A KMS plugin within the test's own process, behind a real socket: its keys are in memory, and its behaviour is set by the test.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

// The plugin reads and writes by the published description, not by the code that it tests.
const { root } = protobuf.parse(`
  syntax = "proto3";
  package v2;
  message StatusResponse { string version = 1; string healthz = 2; string key_id = 3; }
  message DecryptRequest { bytes ciphertext = 1; string uid = 2; string key_id = 3; map<string, bytes> annotations = 4; }
  message DecryptResponse { bytes plaintext = 1; }
  message EncryptRequest { bytes plaintext = 1; string uid = 2; }
  message EncryptResponse { bytes ciphertext = 1; string key_id = 2; map<string, bytes> annotations = 3; }
  enum EncryptedDEKSourceType { AES_GCM_KEY = 0; HKDF_SHA256_XNONCE_AES_GCM_SEED = 1; }
  message EncryptedObject {
    bytes encryptedData = 1; string keyID = 2; bytes encryptedDEKSource = 3; map<string, bytes> annotations = 4;
    EncryptedDEKSourceType encryptedDEKSourceType = 5;
  }
`);

/** A message of the published description. */
export const kmsMessage = (name: string): protobuf.Type => root.lookupType(`v2.${name}`);

type Fields = Readonly<Record<string, unknown>>;
const annotation = 'local.kek.example.com';

export class TestPlugin implements AsyncDisposable {
  readonly calls: ('Status' | 'Encrypt' | 'Decrypt')[] = [];
  healthz = 'ok';
  version = 'v2';
  /** The key id that Encrypt returns; undefined: that of Status. */
  encryptsAs: string | undefined;
  annotation = annotation;
  /** What calls fail with; undefined: they do not. */
  failure: string | undefined;
  /** Calls are never answered. */
  hangs = false;
  #keyId = 'key-1';
  readonly #keys = new Map([[this.#keyId, randomBytes(32)]]);
  readonly #folder = mkdtempSync(join(tmpdir(), 'coxswain-kms-'));
  #server: Server | undefined;

  static async start(): Promise<TestPlugin> {
    const plugin = new TestPlugin();
    await plugin.up();
    return plugin;
  }

  get endpoint(): string {
    return `unix://${join(this.#folder, 'kms.sock')}`;
  }

  get keyId(): string {
    return this.#keyId;
  }

  rotate(keyId: string): void {
    this.#keys.set(keyId, this.#keys.get(keyId) ?? randomBytes(32));
    this.#keyId = keyId;
  }

  forget(keyId: string): void {
    this.#keys.delete(keyId);
  }

  async up(): Promise<void> {
    const server = new Server();
    const answer = (method: (typeof this.calls)[number], act: (request: Fields) => Fields) => ({
      path: `/v2.KeyManagementService/${method}`,
      requestStream: false as const,
      responseStream: false as const,
      requestDeserialize: (bytes: Buffer) => (method === 'Status' ? {} : kmsMessage(`${method}Request`).decode(bytes)) as Fields,
      requestSerialize: () => Buffer.alloc(0),
      responseSerialize: (fields: Fields) => Buffer.from(kmsMessage(`${method}Response`).encode(fields).finish()),
      responseDeserialize: () => ({}),
      handle: ({ request }: ServerUnaryCall<Fields, Fields>, reply: sendUnaryData<Fields>) => {
        this.calls.push(method);
        if (this.hangs) return;
        try {
          if (this.failure !== undefined) throw new Error(this.failure);
          reply(null, act(request));
        } catch (error) {
          reply({ code: 13, details: (error as Error).message });
        }
      },
    });
    const methods = [
      answer('Status', () => ({ version: this.version, healthz: this.healthz, keyId: this.#keyId })),
      answer('Encrypt', ({ plaintext }) => this.#encrypt(plaintext as Buffer)),
      answer('Decrypt', (request) => ({ plaintext: this.decrypted(request) })),
    ];
    for (const { handle, path, ...method } of methods) {
      server.register(path, handle, method.responseSerialize, method.requestDeserialize, 'unary');
    }
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(this.endpoint, ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
    });
    this.#server = server;
  }

  down(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
    rmSync(join(this.#folder, 'kms.sock'), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.down();
    rmSync(this.#folder, { recursive: true, force: true });
    await Promise.resolve();
  }

  #encrypt(plaintext: Buffer): Fields {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(this.#keyId), nonce);
    const ciphertext = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return { ciphertext, keyId: this.encryptsAs ?? this.#keyId, annotations: { [this.annotation]: Buffer.from(this.#keyId) } };
  }

  /** What Decrypt answers. Throws where it fails. */
  decrypted({ ciphertext, keyId, annotations }: Fields): Buffer {
    const sealed = ciphertext as Buffer;
    const [annotated] = Object.values(annotations as Record<string, Uint8Array>);
    if (Buffer.from(annotated ?? []).toString() !== keyId) throw new Error('the annotations are others');
    const opening = createDecipheriv('aes-256-gcm', this.#keyOf(String(keyId)), sealed.subarray(0, 12));
    opening.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([opening.update(sealed.subarray(12, -16)), opening.final()]);
  }

  #keyOf(keyId: string): Buffer {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new Error(`there is no key ${keyId}`);
    return key;
  }
}
