// What the requesting user may do: `authorizer.group('').resource('pods').check('get').allowed()`.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function authorizerLibrary(): Library {
  return { functions: declareFunctions(authorizerFunctions), variables: [] };
}

const a = 'kubernetes.authorization';

const authorizerFunctions = `
path
  authorizer_path: ${a}.Authorizer.(string) -> ${a}.PathCheck
group
  authorizer_group: ${a}.Authorizer.(string) -> ${a}.GroupCheck
serviceAccount
  authorizer_serviceaccount: ${a}.Authorizer.(string, string) -> ${a}.Authorizer
resource
  groupcheck_resource: ${a}.GroupCheck.(string) -> ${a}.ResourceCheck
subresource
  resourcecheck_subresource: ${a}.ResourceCheck.(string) -> ${a}.ResourceCheck
namespace
  resourcecheck_namespace: ${a}.ResourceCheck.(string) -> ${a}.ResourceCheck
name
  resourcecheck_name: ${a}.ResourceCheck.(string) -> ${a}.ResourceCheck
fieldSelector
  authorizer_fieldselector: ${a}.ResourceCheck.(string) -> ${a}.ResourceCheck
labelSelector
  authorizer_labelselector: ${a}.ResourceCheck.(string) -> ${a}.ResourceCheck
check
  pathcheck_check: ${a}.PathCheck.(string) -> ${a}.Decision
  resourcecheck_check: ${a}.ResourceCheck.(string) -> ${a}.Decision
errored
  decision_errored: ${a}.Decision.() -> bool
error
  decision_error: ${a}.Decision.() -> string
allowed
  decision_allowed: ${a}.Decision.() -> bool
reason
  decision_reason: ${a}.Decision.() -> string
`;
