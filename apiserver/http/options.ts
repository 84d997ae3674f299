// The options of every verb, read from the query (or a body) and checked with upstream's words.
import type { V1DeleteOptions } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalidObject, notSupported, required, invalid } from '#api/meta/field-problem.ts';
import { validateFieldManager } from '#api/meta/object-meta.ts';
import { managerName } from '#api/patch/managed-fields.ts';
import type { DeleteRequest, ListRequest, RequestContext, WatchRequest } from '../registry/contract.ts';
import type { Exchange } from './exchange.ts';
import type { Query } from './query.ts';

const metaGroup = 'meta.k8s.io';

export function parseListRequest(query: Query): ListRequest {
  const request = readList(query);
  const match = request.resourceVersionMatch as string;
  const problems: FieldProblem[] = [];
  const field = 'resourceVersionMatch';
  if (match !== '') {
    if (request.resourceVersion === '') {
      problems.push(forbiddenField(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (request.continue !== '') problems.push(forbiddenField(field, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') problems.push(notSupported(field, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && request.resourceVersion === '0') {
      problems.push(forbiddenField(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (query.get('sendInitialEvents') !== undefined) {
    problems.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  refuse('ListOptions', problems);
  return request;
}

export function parseWatchRequest(query: Query): WatchRequest {
  const request = readList(query);
  const match = request.resourceVersionMatch as string;
  const sendInitialEvents = query.optionalFlag('sendInitialEvents');
  const problems: FieldProblem[] = [];
  const field = 'resourceVersionMatch';
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    problems.push(forbiddenField(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (sendInitialEvents === undefined) {
      problems.push(forbiddenField(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (match !== 'NotOlderThan') problems.push(notSupported(field, match, ['NotOlderThan']));
    if (request.continue !== '') problems.push(forbiddenField(field, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  refuse('ListOptions', problems);
  const timeoutSeconds = query.integer('timeoutSeconds');
  return { ...request, allowBookmarks: query.flag('allowWatchBookmarks'), sendInitialEvents, timeoutSeconds };
}

function readList(query: Query): ListRequest {
  const limit = query.integer('limit');
  query.integer('timeoutSeconds');
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: limit === undefined || limit <= 0 ? undefined : limit,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: (query.get('resourceVersionMatch') ?? '') as ListRequest['resourceVersionMatch'],
  };
}

/** What reads carry; nothing of it can be wrong. */
export function readContext(exchange: Exchange): RequestContext {
  return contextOf(exchange, { fieldManager: '', fieldValidation: 'Ignore', dryRun: false });
}

/** What writes carry. Throws Invalid, naming `optionsKind` as upstream does. */
export function writeContext(exchange: Exchange, optionsKind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'): RequestContext {
  const { query } = exchange;
  const dryRun = query.getAll('dryRun');
  const manager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const problems: FieldProblem[] = [];
  if (optionsKind === 'PatchOptions') {
    const isApply = mediaTypeOf(exchange) === 'application/apply-patch+yaml';
    if (isApply && manager === '') problems.push(required('fieldManager', 'is required for apply patch'));
    if (!isApply && query.get('force') !== undefined) {
      problems.push(forbiddenField('force', 'may not be specified for non-apply patch'));
    }
  }
  problems.push(...validateFieldManager(manager, 'fieldManager'), ...dryRunProblems(dryRun));
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    problems.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  refuse(optionsKind, problems);
  return contextOf(exchange, {
    fieldManager: managerName(manager, exchange.header('user-agent') ?? ''),
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as RequestContext['fieldValidation']),
    dryRun: dryRun.length > 0,
  });
}

/** The options of a delete: `body` (decoded DeleteOptions) or, without one, the query. */
export function parseDelete(exchange: Exchange, body: V1DeleteOptions | undefined): { request: DeleteRequest; context: RequestContext } {
  const options = body === undefined ? deleteQuery(exchange.query) : deleteBody(body);
  const problems: FieldProblem[] = [];
  const { propagationPolicy, orphanDependents } = options.request;
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    problems.push(invalid('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)) {
    problems.push(notSupported('propagationPolicy', propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  problems.push(...dryRunProblems(options.dryRun));
  refuse('DeleteOptions', problems);
  const context = contextOf(exchange, { fieldManager: '', fieldValidation: 'Ignore', dryRun: options.dryRun.length > 0 });
  return { request: options.request, context };
}

interface DeleteInput {
  readonly request: DeleteRequest;
  readonly dryRun: string[];
}

function deleteQuery(query: Query): DeleteInput {
  return {
    request: {
      gracePeriodSeconds: query.integer('gracePeriodSeconds'),
      propagationPolicy: query.get('propagationPolicy') as DeleteRequest['propagationPolicy'],
      orphanDependents: query.optionalFlag('orphanDependents'),
      uid: undefined,
      resourceVersion: undefined,
    },
    dryRun: query.getAll('dryRun'),
  };
}

/** What decoded DeleteOptions say; decoding has seen to the types. */
function deleteBody(options: V1DeleteOptions): DeleteInput {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions = {}, dryRun = [] } = options;
  return {
    request: {
      gracePeriodSeconds,
      propagationPolicy: propagationPolicy as DeleteRequest['propagationPolicy'],
      orphanDependents,
      uid: preconditions.uid,
      resourceVersion: preconditions.resourceVersion,
    },
    dryRun,
  };
}

/** The media type of the body without its parameters, in lower case; '' where the client sent none. */
export function mediaTypeOf(exchange: Exchange): string {
  const header = exchange.header('content-type') ?? '';
  const end = header.indexOf(';');
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

type ContextParts = Pick<RequestContext, 'fieldManager' | 'fieldValidation' | 'dryRun'>;

function contextOf(exchange: Exchange, parts: ContextParts): RequestContext {
  const { info } = exchange;
  return {
    user: exchange.requireUser,
    namespace: info.hasNamespacePart ? info.namespace : '',
    subresource: info.subresource,
    verb: info.verb,
    fieldManager: parts.fieldManager,
    fieldValidation: parts.fieldValidation,
    dryRun: parts.dryRun,
    warn: (text) => exchange.warn(text),
    audit: exchange.audit,
    get signal() {
      return exchange.signal;
    },
  };
}

function dryRunProblems(dryRun: string[]): FieldProblem[] {
  return dryRun.every((value) => value === 'All') ? [] : [notSupported('dryRun', dryRun, ['All'])];
}

function refuse(kind: string, problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw invalidObject({ group: metaGroup, kind }, '', problems);
}
