// What is claimed: requests for devices, what they must have in common, and settings for their drivers. Claims, templates of claims and
// classes share these parts (pkg/apis/resource/validation/validation.go).
import type {
  ResourceV1ResourceClaim,
  V1DeviceClaim,
  V1DeviceClassConfiguration,
  V1DeviceConstraint,
  V1DeviceRequest,
  V1DeviceSelector,
  V1DeviceSubRequest,
  V1DeviceToleration,
  V1ExactDeviceRequest,
} from '#api/generated/types.ts';
import { dnsLabel, invalidEach } from '../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, internalFault, invalid, notSupported, required, tooLong } from '../meta/field-problem.ts';
import { byteLength, dnsSubdomainProblems } from '../meta/names.ts';
import type { Unchecked } from '../meta/unchecked.ts';
import { DeviceExpressions } from './device-expression.ts';
import { validateDriver, validateFullyQualifiedName, validateList, validateParameters, validateSet, validateToleration } from './checks.ts';

/** Requests, constraints, settings and selectors of one claim or class. */
export const maxOfEach = 32;
const maxSubRequests = 8;
const expressionLimitBytes = 10 * 1_024;
const expressionCostLimit = 1_000_000n;
const parametersLimitBytes = 10 * 1_024;
const referenceText = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** Its environment is made when the first selector is seen. */
const deviceExpressions = new DeviceExpressions();

type AnyRequest = V1ExactDeviceRequest | V1DeviceSubRequest;

/** Asks for exactly one device where a request does not say how many. */
export function defaultRequests(claim: V1DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable = [] } of claim?.requests ?? []) {
    for (const request of exactly === undefined ? firstAvailable : [exactly, ...firstAvailable]) defaultRequest(request);
  }
}

function defaultRequest(request: AnyRequest): void {
  defaultTolerations(request.tolerations);
  if (!request.allocationMode) request.allocationMode = 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
}

/** A taint is tolerated by its value unless told otherwise. */
export function defaultTolerations(tolerations: readonly V1DeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) if (!toleration.operator) toleration.operator = 'Equal';
}

/** The names that other parts may refer to: `request` and `request/subrequest`. */
export function requestNames(claim: Unchecked<V1DeviceClaim> | undefined): ReadonlySet<string> {
  return new Set(
    (claim?.requests ?? []).flatMap(({ name = '', firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((sub) => `${name}/${sub.name ?? ''}`),
    ]),
  );
}

export function validateDeviceClaim(claim: Unchecked<V1DeviceClaim>, path: string): FieldProblem[] {
  const names = requestNames(claim);
  return [
    ...validateSet(claim.requests, { max: maxOfEach, check: validateRequest, key: ({ name = '' }) => name }, `${path}.requests`),
    ...validateList(claim.constraints, maxOfEach, (one, at) => validateConstraint(one, names, at), `${path}.constraints`),
    ...validateList(
      claim.config,
      maxOfEach,
      (one, at) => [...validateReferences(one.requests, names, `${at}.requests`), ...validateConfiguration(one, at)],
      `${path}.config`,
    ),
  ];
}

function validateRequest(request: Unchecked<V1DeviceRequest>, path: string): FieldProblem[] {
  const { name = '', exactly, firstAvailable = [] } = request;
  const problems = dnsLabel(`${path}.name`, name);
  const text = 'exactly one of `exactly` or `firstAvailable` is required';
  if (exactly !== undefined && firstAvailable.length > 0) {
    problems.push(invalid(path, undefined, `${text}, but multiple fields are set`));
  } else if (exactly !== undefined) {
    problems.push(...validateOneRequest(exactly, `${path}.exactly`));
  } else if (firstAvailable.length > 0) {
    const check = (sub: Unchecked<V1DeviceSubRequest>, at: string): FieldProblem[] => [
      ...dnsLabel(`${at}.name`, sub.name ?? ''),
      ...validateOneRequest(sub, at),
    ];
    const rules = { max: maxSubRequests, check, key: (sub: Unchecked<V1DeviceSubRequest>) => sub.name ?? '' };
    problems.push(...validateSet(firstAvailable, rules, `${path}.firstAvailable`));
  } else {
    problems.push(required(path, text));
  }
  return problems;
}

function validateOneRequest(request: Unchecked<AnyRequest>, path: string): FieldProblem[] {
  const { deviceClassName = '', selectors, allocationMode, count = 0, tolerations } = request;
  const classField = `${path}.deviceClassName`;
  const problems = deviceClassName === '' ? [required(classField)] : [];
  if (deviceClassName !== '') problems.push(...invalidEach(classField, deviceClassName, dnsSubdomainProblems(deviceClassName)));
  problems.push(...validateSelectors(selectors, `${path}.selectors`));
  if (allocationMode === 'All') {
    if (count !== 0) problems.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) problems.push(invalid(`${path}.count`, count, 'must be greater than zero'));
  } else {
    problems.push(notSupported(`${path}.allocationMode`, allocationMode ?? '', ['All', 'ExactCount']));
  }
  // No limit is kept here, whatever the type's description says.
  return [...problems, ...validateList(tolerations, Number.POSITIVE_INFINITY, validateToleration, `${path}.tolerations`)];
}

export function validateSelectors(selectors: readonly Unchecked<V1DeviceSelector>[] | undefined, path: string): FieldProblem[] {
  const check = ({ cel }: Unchecked<V1DeviceSelector>, at: string): FieldProblem[] =>
    cel === undefined ? [required(`${at}.cel`)] : validateExpression(cel.expression ?? '', `${at}.cel.expression`);
  return validateList(selectors, maxOfEach, check, path);
}

/** Too long expressions are not compiled. */
function validateExpression(text: string, field: string): FieldProblem[] {
  if (byteLength(text) > expressionLimitBytes) return [tooLong(field, expressionLimitBytes)];
  const compiled = deviceExpressions.compile(text);
  switch (compiled.kind) {
    case 'invalid':
      return [invalid(field, text, compiled.problem)];
    case 'internal':
      return [internalFault(field, compiled.problem)];
    case 'compiled':
      return compiled.cost.max > expressionCostLimit ? [forbiddenField(field, 'too complex, exceeds cost limit')] : [];
  }
}

function validateConstraint(constraint: Unchecked<V1DeviceConstraint>, names: ReadonlySet<string>, path: string): FieldProblem[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const problems = validateReferences(requests, names, `${path}.requests`);
  if (matchAttribute !== undefined) return [...problems, ...validateFullyQualifiedName(matchAttribute, `${path}.matchAttribute`)];
  if (distinctAttribute !== undefined) return [...problems, ...validateFullyQualifiedName(distinctAttribute, `${path}.distinctAttribute`)];
  const text = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...problems, required(path, text)];
}

/** A list of requests that something is about. */
export function validateReferences(list: readonly string[] | undefined, names: ReadonlySet<string>, path: string): FieldProblem[] {
  const rules = { max: maxOfEach, check: (name: string, at: string) => validateReference(name, names, at), key: (name: string) => name };
  return validateSet(list, rules, path);
}

export function validateReference(name: string, names: ReadonlySet<string>, field: string): FieldProblem[] {
  const segments = name.split('/');
  if (segments.length > 2) return [invalid(field, name, referenceText)];
  const problems = segments.flatMap((segment) => dnsLabel(field, segment));
  return names.has(name) ? problems : [...problems, invalid(field, name, referenceText)];
}

export function validateConfiguration({ opaque }: Unchecked<V1DeviceClassConfiguration>, path: string): FieldProblem[] {
  if (opaque === undefined) return [required(`${path}.opaque`)];
  return [
    ...validateDriver(opaque.driver ?? '', `${path}.opaque.driver`),
    ...validateParameters(`${path}.opaque.parameters`, opaque.parameters, parametersLimitBytes),
  ];
}

/** The request of a claim that wants devices which others use, too; undefined where none does. */
export function adminRequest({ spec }: Pick<ResourceV1ResourceClaim, 'spec'>): number | undefined {
  const at = (spec.devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
  return at < 0 ? undefined : at;
}
