// create, update and patch: the verbs that send an object.
import type { KindDefinition } from '#api/kind.ts';
import { ApiError, forbidden } from '#api/meta/status.ts';
import type { PatchType } from '../../registry/contract.ts';
import { authorizationRequest } from '../filters/authorization.ts';
import { objectBody, readBody } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import { mediaTypesOf, notAcceptable, unsupportedMediaType, type Wanted } from '../negotiate.ts';
import { mediaTypeOf, writeContext } from '../options.ts';
import { sendObject } from './get.ts';
import { offerOf, type Verb, type VerbDeps, wantedOf } from './verb.ts';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export const create: Verb = async (exchange, kind, deps) => {
  const wanted = wantedObject(exchange, kind, deps);
  const context = writeContext(exchange, 'CreateOptions');
  const encoded = await deps.registry.create(kind, await objectBody(exchange, offerOf(kind, deps)), context);
  await sendObject(exchange, wanted, { code: 201, kind, encoded }, deps);
};

export const update: Verb = async (exchange, kind, deps) => {
  const wanted = wantedObject(exchange, kind, deps);
  const context = { ...writeContext(exchange, 'UpdateOptions'), mayCreate: () => requireCreate(exchange, deps) };
  const { encoded, created } = await deps.registry.update(
    kind,
    exchange.info.pathName,
    await objectBody(exchange, offerOf(kind, deps)),
    context,
  );
  await sendObject(exchange, wanted, { code: created ? 201 : 200, kind, encoded }, deps);
};

export const patch: Verb = async (exchange, kind, deps) => {
  const mediaType = mediaTypeOf(exchange);
  const type = Object.hasOwn(patchTypes, mediaType) ? patchTypes[mediaType] : undefined;
  if (type === undefined) throw unsupportedMediaType(Object.keys(patchTypes));
  const wanted = wantedObject(exchange, kind, deps);
  const context = { ...writeContext(exchange, 'PatchOptions'), mayCreate: () => requireCreate(exchange, deps) };
  const bytes = await readBody(exchange);
  exchange.audit?.patched(bytes);
  const force = exchange.query.flag('force');
  const { encoded, created } = await deps.registry.patch(kind, exchange.info.pathName, { type, bytes, force }, context);
  await sendObject(exchange, wanted, { code: created ? 201 : 200, kind, encoded }, deps);
};

/** Whoever may only change objects makes none by changing what is not there. Throws Forbidden. */
async function requireCreate(exchange: Exchange, { authorizer }: VerbDeps): Promise<void> {
  const { group, resource: plural, pathName } = exchange.info;
  const { verdict, reason } = await authorizer.authorize({ ...authorizationRequest(exchange), verb: 'create' });
  if (verdict !== 'allow') throw forbidden({ group, plural }, pathName, reason);
}

function wantedObject(exchange: Exchange, kind: KindDefinition, deps: VerbDeps): Wanted {
  const wanted = wantedOf(exchange, kind, deps);
  if (wanted.form === 'partial-list') throw notAcceptable(mediaTypesOf(offerOf(kind, deps)));
  return wanted;
}

/** The refusal of a verb that the kind does not have. */
export function methodNotAllowed(): ApiError {
  return new ApiError({
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });
}

/** The refusal of a path below a known group where nothing is. */
export function resourceNotFound(): ApiError {
  return new ApiError({ reason: 'NotFound', message: 'the server could not find the requested resource', details: {} });
}

/** Also needed where a kind has no such verb but the path exists. */
export function hasVerb(kind: KindDefinition, verb: string): boolean {
  return kind.verbs === undefined || kind.verbs.includes(verb);
}
