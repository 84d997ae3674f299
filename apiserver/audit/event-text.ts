// Events in the forms in which they are written. JSON is put together from texts: what is large is text already.
import type { UserInfo } from '../registry/contract.ts';
import type { AuditEvent, ObjectReference, ResponseStatus } from './contract.ts';

export const apiVersion = 'audit.k8s.io/v1';

/** One line of JSON without its end, in upstream's order of fields. */
export function jsonText(event: AuditEvent): string {
  return `{"kind":"Event","apiVersion":"${apiVersion}",${fieldsText(event)}}`;
}

/** An EventList of events. */
export function listText(events: readonly AuditEvent[]): string {
  // Items of a list say neither kind nor version.
  const items = events.map((event) => `{${fieldsText(event)}}`).join(',');
  return `{"kind":"EventList","apiVersion":"${apiVersion}","metadata":{},"items":[${items}]}`;
}

/** Upstream's older form: one line of `key="value"`, without objects and annotations. */
export function legacyText(event: AuditEvent): string {
  const { user, impersonatedUser, objectRef, responseStatus, sourceIps } = event;
  const name = user?.name ?? '';
  const groups = name !== '' && (user?.groups.length ?? 0) > 0 ? groupsText(user?.groups ?? []) : '<none>';
  const pairs = {
    id: event.auditId,
    stage: event.stage,
    ip: sourceIps[0] ?? '<unknown>',
    method: event.verb,
    user: name === '' ? '<none>' : name,
    groups,
    as: impersonatedUser?.name ?? '<self>',
    asgroups: impersonatedUser === undefined ? '<lookup>' : groupsText(impersonatedUser.groups),
    'user-agent': event.userAgent,
    namespace: (objectRef?.namespace ?? '') === '' ? '<none>' : objectRef?.namespace,
    uri: event.requestUri,
    response: responseStatus === undefined ? '<deferred>' : String(responseStatus.code ?? 0),
  };
  const said = Object.entries(pairs).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${microTime(event.receivedMs)} AUDIT: ${said.join(' ')}`;
}

/** `2006-01-02T15:04:05.000000Z`, from milliseconds with fractions. */
function microTime(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.floor((ms - whole) * 1_000);
  return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}

function fieldsText(event: AuditEvent): string {
  const { user, impersonatedUser, impersonationConstraint, objectRef, responseStatus, annotations } = event;
  let text = `"level":"${event.level}","auditID":${JSON.stringify(event.auditId)},"stage":"${event.stage}"`;
  text += `,"requestURI":${JSON.stringify(event.requestUri)},"verb":${JSON.stringify(event.verb)},"user":${userText(user)}`;
  if (impersonatedUser !== undefined) text += `,"impersonatedUser":${userText(impersonatedUser)}`;
  if (impersonationConstraint !== undefined) {
    text += `,"authenticationMetadata":{"impersonationConstraint":${JSON.stringify(impersonationConstraint)}}`;
  }
  if (event.sourceIps.length > 0) text += `,"sourceIPs":${JSON.stringify(event.sourceIps)}`;
  if (event.userAgent !== '') text += `,"userAgent":${JSON.stringify(event.userAgent)}`;
  if (objectRef !== undefined) text += `,"objectRef":${referenceText(objectRef)}`;
  if (responseStatus !== undefined) text += `,"responseStatus":${statusText(responseStatus)}`;
  if (event.requestObject !== undefined) text += `,"requestObject":${event.requestObject}`;
  if (event.responseObject !== undefined) text += `,"responseObject":${event.responseObject}`;
  text += `,"requestReceivedTimestamp":"${microTime(event.receivedMs)}","stageTimestamp":"${microTime(event.stageMs)}"`;
  if (annotations !== undefined) text += `,"annotations":${sortedText(annotations)}`;
  return text;
}

function userText(user: UserInfo | undefined): string {
  if (user === undefined) return '{}';
  const { name, uid, groups, extra } = user;
  const parts: string[] = [];
  if (name !== '') parts.push(`"username":${JSON.stringify(name)}`);
  if (uid !== undefined && uid !== '') parts.push(`"uid":${JSON.stringify(uid)}`);
  if (groups.length > 0) parts.push(`"groups":${JSON.stringify(groups)}`);
  if (extra !== undefined && Object.keys(extra).length > 0) parts.push(`"extra":${sortedText(extra)}`);
  return `{${parts.join(',')}}`;
}

const referenceFields = ['resource', 'namespace', 'name', 'uid', 'apiGroup', 'apiVersion', 'resourceVersion', 'subresource'] as const;

function referenceText(reference: ObjectReference): string {
  let text = '';
  for (const field of referenceFields) {
    const value = reference[field];
    if (value !== '') text += `${text === '' ? '' : ','}"${field}":${JSON.stringify(value)}`;
  }
  return `{${text}}`;
}

function statusText({ status, message, reason, details, code }: ResponseStatus): string {
  return JSON.stringify({ metadata: {}, status, message, reason, details, code });
}

/** Go writes maps in the order of their keys. */
function sortedText(map: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(map).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(map[key])}`).join(',')}}`;
}

function groupsText(groups: readonly string[]): string {
  return groups.map((group) => JSON.stringify(group)).join(',');
}
