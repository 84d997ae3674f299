// The inner types of flowcontrol.apiserver.k8s.io as messages show them (pkg/apis/flowcontrol/types.go).
import type { GoStruct } from '../meta/go-form.ts';

const named: GoStruct = { Name: '' };

export const flowSchemaShape: GoStruct = {
  PriorityLevelConfiguration: { always: named },
  MatchingPrecedence: 0,
  DistinguisherMethod: { one: { Type: '' } },
  Rules: {
    each: {
      Subjects: {
        each: { Kind: '', User: { one: named }, Group: { one: named }, ServiceAccount: { one: { Namespace: '', Name: '' } } },
      },
      ResourceRules: { each: { Verbs: null, APIGroups: null, Resources: null, ClusterScope: false, Namespaces: null } },
      NonResourceRules: { each: { Verbs: null, NonResourceURLs: null } },
    },
  },
};

export const priorityLevelShape: GoStruct = {
  Type: '',
  Limited: {
    one: {
      NominalConcurrencyShares: 0,
      LimitResponse: {
        always: { Type: '', Queuing: { one: { Queues: 0, HandSize: 0, QueueLengthLimit: 0 } } },
      },
      LendablePercent: null,
      BorrowingLimitPercent: null,
    },
  },
  Exempt: { one: { NominalConcurrencyShares: null, LendablePercent: null } },
};
