// Audit events (audit.k8s.io/v1) and what the rest of the server knows of them.
import type { JsonObject, KubeObject } from '#api/meta/object.ts';
import type { StatusDetails } from '#api/meta/status.ts';
import type { UserInfo } from '../registry/contract.ts';

/** How much of a request is told, from nothing to everything. */
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

/** One event, which nobody changes any more. Objects are texts of JSON already. */
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

/** Takes events. False: they are lost, and a request that must not go unseen is refused. Never throws. */
export interface AuditSink {
  process(events: readonly AuditEvent[]): boolean | Promise<boolean>;
}

/** Told of one request by those who serve it. Absent where nobody wants to know. */
export interface RequestAudit {
  /** True where answers are told, too: only then need they be given to `answeredJson`. */
  readonly wantsAnswer: boolean;
  /** True where what is told says nothing of who owns which field. */
  readonly omitsOwners: boolean;
  /** The first value of a key counts. */
  annotate(key: string, value: string): void;
  impersonated(user: UserInfo, constraint: string | undefined): void;
  /** The object that came, as it was decoded; read at once. */
  requested(object: KubeObject | JsonObject): void;
  /** The patch that came, as JSON or YAML. */
  patched(bytes: Uint8Array): void;
  /** What is answered, before it is written in any form. */
  answered(value: unknown): void;
  answeredJson(json: Uint8Array | string): void;
  /** The answer's head goes out; more will follow. */
  started(code: number): void;
  /** The whole answer goes out. */
  finished(code: number): void;
}
