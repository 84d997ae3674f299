import type { V1RuntimeClass, V1Scheduling } from '#api/generated/types.ts';
import { oldLabelText } from '../core/node/labels.ts';
import { roundAmounts } from '../core/pod/container-defaults.ts';
import { validateOverhead } from '../core/pod/resources.ts';
import { checkToleration } from '../core/pod/scheduling.ts';
import { defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../meta/columns.ts';
import { dnsLabel } from '../meta/field-checks.ts';
import type { FieldProblem } from '../meta/field-problem.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { validateImmutable, validateLabels } from '../meta/object-meta.ts';
import { Problems } from '../meta/problems.ts';

export interface RuntimeClass extends V1RuntimeClass {
  metadata: ObjectMeta;
}

/** A way to run pods, with what it costs and where it is to be had. */
export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  scope: 'cluster',
  names: { plural: 'runtimeclasses' },
  schema: 'io.k8s.api.node.v1.RuntimeClass',
  unconditionalUpdate: false,
  createOnUpdate: true,
  defaults: [({ overhead }) => roundAmounts(overhead?.podFixed)],
  validate: validateRuntimeClass,
  validateUpdate: (next, prev) => validateImmutable(next.handler, prev.handler, 'handler'),
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
      const text = oldLabelText(key);
      return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`];
    }),
  columns: [
    nameColumn,
    {
      name: 'Handler',
      description:
        'handler specifies the underlying runtime and configuration that the CRI implementation will use to handle pods of this class. The possible values are specific to the node & CRI configuration.  It is assumed that all handlers are available on every node, and handlers of the same name are equivalent on every node. For example, a handler called "runc" might specify that the runc OCI runtime (using native Linux containers) will be used to run the containers in a pod. The Handler must be lowercase, conform to the DNS Label (RFC 1123) requirements, and is immutable.',
      value: ({ handler }) => handler,
    },
    ageColumn,
  ],
});

function validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): FieldProblem[] {
  const problems = dnsLabel('handler', handler);
  if (overhead !== undefined) problems.push(...validateOverhead(overhead.podFixed ?? {}, 'overhead'));
  if (scheduling === undefined) return problems;
  problems.push(...validateLabels(scheduling.nodeSelector, 'scheduling.nodeSelector'));
  return [...problems, ...Problems.of('scheduling', scheduling, checkScheduling)];
}

/** Tolerations that differ in nothing but how long they hold are one too many. */
function checkScheduling({ tolerations }: V1Scheduling, at: Problems): void {
  at.each('tolerations', tolerations, checkToleration);
  const seen = new Set<string>();
  for (const [index, toleration] of (tolerations ?? []).entries()) {
    const { key = '', operator = '', value = '', effect = '' } = toleration;
    const identity = JSON.stringify([key, operator, value, effect]);
    // As Go prints it.
    const shown = { Key: key, Operator: operator, Value: value, Effect: effect, TolerationSeconds: toleration.tolerationSeconds ?? null };
    if (seen.has(identity)) at.duplicate(`tolerations[${index}]`, shown);
    seen.add(identity);
  }
}
