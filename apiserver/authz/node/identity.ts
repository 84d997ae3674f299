import type { UserInfo } from '../../registry/contract.ts';

const nodesGroup = 'system:nodes';
const nodePrefix = 'system:node:';

/** The node that a user is, '' where it does not say which; undefined for other users (pkg/auth/nodeidentifier). */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(nodePrefix) && groups.includes(nodesGroup) ? name.slice(nodePrefix.length) : undefined;
}
