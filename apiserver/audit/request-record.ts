// Collects what the audit log records of one request, and emits an event for each stage that the policy does not omit.
import { parse } from 'yaml';
import type { JsonObject, KubeObject } from '#api/meta/object.ts';
import { exactDuration } from '#base/duration.ts';
import { withoutOwners } from './without-owners.ts';
import type { UserInfo } from '../registry/contract.ts';
import type { Exchange } from '../http/exchange.ts';
import { isLongRunning } from '../http/long-running.ts';
import { type AuditEvent, levels, type ObjectReference, type RequestAudit, type ResponseStatus, type Stage } from './contract.ts';
import type { AuditScope } from './policy.ts';
import { sourceIps, userAgent } from './who-asks.ts';

interface RecordDeps {
  readonly exchange: Exchange;
  readonly scope: AuditScope;
  /** Passes the event to the sinks; answers whether it was accepted. */
  readonly emit: (event: AuditEvent) => boolean | Promise<boolean>;
  /** When the request arrived, since the epoch, and the time since then. */
  readonly receivedMs: number;
  readonly sinceReceivedMs: () => number;
  /** False where authentication failed: only the refusal is logged. */
  readonly isAuthenticated: boolean;
}

/** Requests that take longer are annotated with their latency. */
const slowMs = 500;
const closedEarly: ResponseStatus = { status: 'Success', message: 'Connection closed early', code: 200 };

/** The order of calls is that of the request; after `ResponseComplete` or `Panic` nothing more is logged. */
export class RequestRecord implements RequestAudit {
  readonly wantsAnswer: boolean;
  readonly omitsOwners: boolean;
  readonly #deps: RecordDeps;
  readonly #wantsRequest: boolean;
  readonly #isLong: boolean;
  readonly #user: UserInfo | undefined;
  readonly #userAgent: string;
  readonly #sourceIps: readonly string[];
  #reference: ObjectReference | undefined;
  #impersonated: { readonly user: UserInfo; readonly constraint: string | undefined } | undefined;
  #status: ResponseStatus | undefined;
  #requestObject: string | undefined;
  #responseObject: string | undefined;
  #annotations: Record<string, string> | undefined;
  #hasStarted = false;
  #isOver = false;

  constructor(deps: RecordDeps) {
    const { exchange, scope } = deps;
    const level = levels.indexOf(scope.level);
    this.#deps = deps;
    this.#wantsRequest = level >= 2;
    this.wantsAnswer = level >= 3;
    this.omitsOwners = scope.omitManagedFields;
    this.#isLong = isLongRunning(exchange.info);
    this.#user = exchange.user;
    this.#userAgent = userAgent(exchange);
    this.#sourceIps = sourceIps(exchange);
    this.#reference = referenceOf(exchange);
  }

  /** Before anything else happens. */
  received(): boolean | Promise<boolean> {
    return this.#emit('RequestReceived');
  }

  /** The request is refused unseen. */
  drop(): void {
    this.#isOver = true;
  }

  annotate(key: string, value: string): void {
    this.#annotations ??= {};
    if (!Object.hasOwn(this.#annotations, key)) this.#annotations[key] = value;
  }

  impersonated(user: UserInfo, constraint: string | undefined): void {
    this.#impersonated = { user, constraint };
  }

  requested(object: KubeObject | JsonObject): void {
    const { metadata = {} } = object as Partial<KubeObject>;
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = metadata;
    const known = this.#reference;
    if (known !== undefined) {
      this.#reference = {
        ...known,
        namespace: known.namespace === '' ? namespace : known.namespace,
        name: known.name === '' ? name : known.name,
        uid: known.uid === '' ? uid : known.uid,
        resourceVersion: known.resourceVersion === '' ? resourceVersion : known.resourceVersion,
      };
    }
    if (this.#wantsRequest) this.#requestObject = JSON.stringify(this.omitsOwners ? withoutOwners(object) : object);
  }

  patched(bytes: Uint8Array): void {
    if (!this.#wantsRequest) return;
    const text = Buffer.from(bytes).toString();
    this.#requestObject = JSON.stringify(valueOf(text)) as string | undefined;
  }

  answered(value: unknown): void {
    const { kind, apiVersion } = (value ?? {}) as { readonly kind?: unknown; readonly apiVersion?: unknown };
    if (kind === 'Status' && apiVersion === 'v1') {
      const { status, message, reason, details, code } = value as ResponseStatus & { readonly code?: number };
      this.#status = { ...(status && { status }), ...(message && { message }), ...(reason && { reason }), details, ...(code && { code }) };
    }
    if (this.wantsAnswer) this.#responseObject = JSON.stringify(this.omitsOwners ? withoutOwners(value) : value);
  }

  answeredJson(json: Uint8Array | string): void {
    if (!this.wantsAnswer) return;
    const text = (typeof json === 'string' ? json : Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString()).trimEnd();
    this.#responseObject = this.omitsOwners ? JSON.stringify(withoutOwners(JSON.parse(text))) : text;
  }

  started(code: number): void {
    if (this.#hasStarted || this.#isOver) return;
    this.#hasStarted = true;
    this.#status = { ...this.#status, code };
    // Unauthenticated requests end with their 401.
    if (this.#isLong || !this.#deps.isAuthenticated) void this.#emit('ResponseStarted');
  }

  finished(code: number): void {
    this.started(code);
    this.closed();
  }

  /** The connection has ended, whether or not anything was answered. */
  closed(): void {
    if (this.#isOver) return;
    if (!this.#hasStarted) {
      this.started(200);
      this.#status = closedEarly;
    }
    this.#isOver = true;
    if (!this.#deps.isAuthenticated) return;
    const tookMs = this.#deps.sinceReceivedMs();
    if (!this.#isLong && tookMs > slowMs) this.annotate('apiserver.latency.k8s.io/total', exactDuration(tookMs));
    void this.#emit('ResponseComplete');
  }

  /** An unexpected error. */
  panicked(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#status = { status: 'Failure', message: `APIServer panic'd: ${why}`, reason: 'InternalError', code: 500 };
    void this.#emit('Panic');
  }

  #emit(stage: Stage): boolean | Promise<boolean> {
    const { exchange, scope, emit, receivedMs, sinceReceivedMs } = this.#deps;
    if (scope.omitStages.has(stage)) return true;
    return emit({
      level: scope.level,
      auditId: exchange.auditId,
      stage,
      requestUri: exchange.uri,
      verb: exchange.info.verb,
      user: this.#user,
      impersonatedUser: this.#impersonated?.user,
      impersonationConstraint: this.#impersonated?.constraint,
      sourceIps: this.#sourceIps,
      userAgent: this.#userAgent,
      objectRef: this.#reference,
      responseStatus: this.#status,
      requestObject: this.#requestObject,
      responseObject: this.#responseObject,
      receivedMs,
      stageMs: stage === 'RequestReceived' ? receivedMs : receivedMs + sinceReceivedMs(),
      annotations: this.#annotations && { ...this.#annotations },
    });
  }
}

function referenceOf({ info }: Exchange): ObjectReference | undefined {
  if (!info.isResource) return undefined;
  const { resource, namespace, name, group, version, subresource } = info;
  return { resource, namespace, name, uid: '', apiGroup: group, apiVersion: version, resourceVersion: '', subresource };
}

/** A patch's value; what is neither JSON nor YAML is logged as plain text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Configurations to apply may be YAML.
  }
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
