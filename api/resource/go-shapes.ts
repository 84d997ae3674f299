// The inner types of resource.k8s.io as messages show them (pkg/apis/resource/types.go).
import type { GoMember, GoStruct } from '../meta/go-form.ts';

const tolerations: GoStruct = { Key: '', Operator: '', Value: '', Effect: '', TolerationSeconds: null };
const requirements: GoMember = { each: { Key: '', Operator: '', Values: null } };
const selectors: GoStruct = { CEL: { one: { Expression: '' } } };
const opaque: GoStruct = { Driver: '', Parameters: null };
const capacity: GoStruct = { Requests: null };

export const claimSpecShape: GoStruct = {
  Devices: {
    always: {
      Requests: {
        each: {
          Name: '',
          Exactly: {
            one: {
              DeviceClassName: '',
              Selectors: { each: selectors },
              AllocationMode: '',
              Count: 0,
              AdminAccess: null,
              Tolerations: { each: tolerations },
              Capacity: { one: capacity },
            },
          },
          FirstAvailable: {
            each: {
              Name: '',
              DeviceClassName: '',
              Selectors: { each: selectors },
              AllocationMode: '',
              Count: 0,
              Tolerations: { each: tolerations },
              Capacity: { one: capacity },
            },
          },
        },
      },
      Constraints: { each: { Requests: null, MatchAttribute: null, DistinctAttribute: null } },
      Config: { each: { Requests: null, Opaque: { one: opaque } } },
    },
  },
};

export const allocationShape: GoStruct = {
  Devices: {
    always: {
      Results: {
        each: {
          Request: '',
          Driver: '',
          Pool: '',
          Device: '',
          AdminAccess: null,
          Tolerations: { each: tolerations },
          BindingConditions: null,
          BindingFailureConditions: null,
          ShareID: null,
          ConsumedCapacity: null,
        },
      },
      Config: { each: { Source: '', Requests: null, Opaque: { one: opaque } } },
    },
  },
  NodeSelector: { one: { NodeSelectorTerms: { each: { MatchExpressions: requirements, MatchFields: requirements } } } },
  AllocationTimestamp: null,
};
