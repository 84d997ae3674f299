// Audit events (audit.k8s.io/v1), and the interfaces through which the rest of the server reports to the audit log.
import type { JsonObject, KubeObject } from '#api/meta/object.ts';
import type { StatusDetails } from '#api/meta/status.ts';
import type { UserInfo } from '../registry/contract.ts';

/** How much of a request is logged, from nothing to everything. */
export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof levels)[number];

export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Stage = (typeof stages)[number];

/** What a request is about; absent parts are ''. */
export interface ObjectReference {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resourceVersion: string;
  readonly subresource: string;
}

export interface ResponseStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails | undefined;
  readonly code?: number;
}

/** One event, immutable. Request and response objects are already serialised as JSON. */
export interface AuditEvent {
  readonly level: Level;
  readonly auditId: string;
  readonly stage: Stage;
  readonly requestUri: string;
  readonly verb: string;
  /** Undefined where authentication failed. */
  readonly user: UserInfo | undefined;
  readonly impersonatedUser: UserInfo | undefined;
  readonly impersonationConstraint: string | undefined;
  readonly sourceIps: readonly string[];
  readonly userAgent: string;
  readonly objectRef: ObjectReference | undefined;
  readonly responseStatus: ResponseStatus | undefined;
  readonly requestObject: string | undefined;
  readonly responseObject: string | undefined;
  /** Since the epoch, with fractions. */
  readonly receivedMs: number;
  readonly stageMs: number;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Accepts events. Answers false when they were lost, so that a request which must not go unlogged is refused. Never throws. */
export interface AuditSink {
  process(events: readonly AuditEvent[]): boolean | Promise<boolean>;
}

/** The audit record of one request, filled in by the code that serves it. Absent where the policy logs nothing of the request. */
export interface RequestAudit {
  /** True where response bodies are logged: only then must they be passed to `answeredJson`. */
  readonly wantsAnswer: boolean;
  /** True where managedFields are left out of logged objects. */
  readonly omitsOwners: boolean;
  /** Sets an annotation; later values for the same key are ignored. */
  annotate(key: string, value: string): void;
  impersonated(user: UserInfo, constraint: string | undefined): void;
  /** The decoded request object; serialised before this returns. */
  requested(object: KubeObject | JsonObject): void;
  /** The patch in the request body, as JSON or YAML. */
  patched(bytes: Uint8Array): void;
  /** The response object, before it is encoded. */
  answered(value: unknown): void;
  answeredJson(json: Uint8Array | string): void;
  /** The answer's head goes out; more will follow. */
  started(code: number): void;
  /** The whole answer goes out. */
  finished(code: number): void;
}
