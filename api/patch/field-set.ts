// Sets of fields, in the form that managedFields carries on the wire (FieldsV1), which is also the form we compute with: a tree
// whose keys are path elements (`f:name`, `k:{"name":"x"}`, `v:"x"`, `i:0`). A path is in the set when its node is empty or has
// the key `.`; a node that has children and no `.` only leads to them. Nodes are never changed once built, so they may be shared.
// The root stands for the whole object and is itself never a member: an empty root is the empty set.

/** A node of a set: what lies below one path. */
export interface FieldNode {
  readonly [element: string]: FieldNode;
}

/** The node of a path that is a member and has nothing below it. */
export const leaf: FieldNode = Object.freeze({});

/** No field at all. */
export const emptySet: FieldNode = leaf;

export function isEmptySet(set: FieldNode): boolean {
  for (const _ in set) return false;
  return true;
}

/** What is in either set. */
export function union(left: FieldNode, right: FieldNode): FieldNode {
  if (left === right || isEmptySet(right)) return left;
  if (isEmptySet(left)) return right;
  return build(mergeKeys(left, right), (element) => {
    const mine = left[element];
    const theirs = right[element];
    if (mine === undefined) return theirs;
    return theirs === undefined ? mine : uniteNodes(mine, theirs);
  });
}

/** What is in the first set and not in the second. */
export function difference(left: FieldNode, right: FieldNode): FieldNode {
  if (isEmptySet(left) || isEmptySet(right)) return left;
  return filter(left, (element, mine) => {
    const theirs = right[element];
    return theirs === undefined ? mine : subtractNode(mine, theirs);
  });
}

/** What is in the first set and neither in the second nor below one of its members. */
export function differenceBelow(left: FieldNode, right: FieldNode): FieldNode {
  if (isEmptySet(left) || isEmptySet(right)) return left;
  return filter(left, (element, mine) => {
    const theirs = right[element];
    if (theirs === undefined) return mine;
    if (isMember(theirs)) return undefined;
    const below = differenceBelow(withoutSelf(mine), theirs);
    return withSelf(isMember(mine), below);
  });
}

/** What is in both sets. */
export function intersection(left: FieldNode, right: FieldNode): FieldNode {
  if (left === right) return left;
  return filter(left, (element, mine) => {
    const theirs = right[element];
    if (theirs === undefined) return undefined;
    return withSelf(isMember(mine) && isMember(theirs), intersection(withoutSelf(mine), withoutSelf(theirs)));
  });
}

/** True when the node's own path is in the set. */
export function isMember(node: FieldNode): boolean {
  return node['.'] !== undefined || isEmptySet(node);
}

/** The node without its own membership: a set of what lies below. */
export function withoutSelf(node: FieldNode): FieldNode {
  if (node['.'] === undefined) return node;
  const { '.': _, ...below } = node;
  return below;
}

/** The node for a path: a member or not, with a set below it. Undefined when nothing is left. */
export function withSelf(member: boolean, below: FieldNode): FieldNode | undefined {
  if (isEmptySet(below)) return member ? leaf : undefined;
  return member ? { '.': leaf, ...below } : below;
}

/** A set of paths, each given as its elements. */
export function setOf(paths: readonly (readonly string[])[]): FieldNode {
  let set = emptySet;
  for (const path of paths)
    set = union(
      set,
      path.reduceRight<FieldNode>((below, element) => ({ [element]: below }), leaf),
    );
  return set;
}

/** Every path of the set, members of a level before what lies below them: the order in which upstream names conflicts. */
export function* pathsOf(set: FieldNode, prefix: readonly string[] = []): Generator<readonly string[]> {
  const elements = Object.keys(set).filter((element) => element !== '.');
  for (const element of elements) if (isMember(set[element] as FieldNode)) yield [...prefix, element];
  for (const element of elements) {
    const node = set[element] as FieldNode;
    if (!isEmptySet(node)) yield* pathsOf(node, [...prefix, element]);
  }
}

/** True when the path, given as its elements, is in the set. */
export function hasPath(set: FieldNode, path: readonly string[]): boolean {
  let node: FieldNode | undefined = set;
  for (const element of path) {
    node = node[element];
    if (node === undefined) return false;
  }
  return path.length > 0 && isMember(node);
}

function uniteNodes(left: FieldNode, right: FieldNode): FieldNode {
  const member = isMember(left) || isMember(right);
  return withSelf(member, union(withoutSelf(left), withoutSelf(right))) ?? leaf;
}

function subtractNode(mine: FieldNode, theirs: FieldNode): FieldNode | undefined {
  const member = isMember(mine) && !isMember(theirs);
  const mineBelow = withoutSelf(mine);
  const below = difference(mineBelow, withoutSelf(theirs));
  return below === mineBelow && member === isMember(mine) ? mine : withSelf(member, below);
}

/** Keeps the same object when nothing changes, so that callers can see by identity that a set stayed as it was. */
function filter(set: FieldNode, keep: (element: string, node: FieldNode) => FieldNode | undefined): FieldNode {
  const result: Record<string, FieldNode> = {};
  let isSame = true;
  for (const element of Object.keys(set)) {
    const node = set[element] as FieldNode;
    const kept = keep(element, node);
    if (kept !== node) isSame = false;
    if (kept !== undefined) result[element] = kept;
  }
  return isSame ? set : result;
}

function build(elements: readonly string[], node: (element: string) => FieldNode | undefined): FieldNode {
  const result: Record<string, FieldNode> = {};
  for (const element of elements) result[element] = node(element) ?? leaf;
  return result;
}

function mergeKeys(left: FieldNode, right: FieldNode): string[] {
  const elements = Object.keys(left);
  const added = Object.keys(right).filter((element) => left[element] === undefined);
  return added.length === 0 ? elements : [...elements, ...added].sort(compareElements);
}

/**
 * The order of path elements on the wire: `.`, then field names, keys, values and indexes; names by their text, keys and values as
 * JSON values, so that port 80 comes before port 443.
 */
export function compareElements(left: string, right: string): number {
  if (left === right) return 0;
  const byKind = rank(left) - rank(right);
  if (byKind !== 0) return byKind;
  if (left.startsWith('f:')) return left < right ? -1 : 1;
  const byValue = compareValues(parse(left), parse(right));
  return byValue === 0 ? (left < right ? -1 : 1) : byValue;
}

function rank(element: string): number {
  return '.fkvi'.indexOf(element[0] ?? '.');
}

function parse(element: string): unknown {
  try {
    return JSON.parse(element.slice(2));
  } catch {
    return element;
  }
}

/** Numbers before strings before booleans before null, as upstream orders values; keys compare name by name, value by value. */
export function compareValues(left: unknown, right: unknown): number {
  if (typeof left === 'object' && typeof right === 'object' && left !== null && right !== null) {
    const mine = Object.entries(left).sort(byName);
    const theirs = Object.entries(right).sort(byName);
    for (const [at, [name, value]] of mine.entries()) {
      const [otherName, otherValue] = theirs[at] ?? [];
      if (otherName === undefined) return 1;
      if (name !== otherName) return name < otherName ? -1 : 1;
      const order = compareValues(value, otherValue);
      if (order !== 0) return order;
    }
    return mine.length - theirs.length;
  }
  if (left === right) return 0;
  const byKind = kindOf(left) - kindOf(right);
  if (byKind !== 0) return byKind;
  return (left as string) < (right as string) ? -1 : 1;
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1;
}

function kindOf(value: unknown): number {
  const at = ['number', 'string', 'boolean'].indexOf(typeof value);
  return at === -1 ? 3 : at;
}
