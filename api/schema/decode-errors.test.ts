import { describe, expect, test } from 'vitest';
import { codec, decode, type KindName, refusal } from './testing.ts';

describe('decodeBody refuses', () => {
  const handled = 'in version "v1" cannot be handled as a';
  test.each<[string, KindName, string, string]>([
    [
      'a string for a number',
      'Deployment',
      '{"spec":{"replicas":"3"}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'a number for a string, deep inside',
      'Deployment',
      '{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"x","value":1}]}]}}}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string`,
    ],
    [
      'an object for a list',
      'Pod',
      '{"spec":{"containers":{"name":"a"}}}',
      `Pod ${handled} Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container`,
    ],
    [
      'a string for a struct',
      'Pod',
      '{"spec":"x"}',
      `Pod ${handled} Pod: json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec`,
    ],
    [
      'a number among labels',
      'Pod',
      '{"metadata":{"labels":{"a":1}}}',
      `Pod ${handled} Pod: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
    [
      'a list for a map',
      'ConfigMap',
      '{"data":["a"]}',
      `ConfigMap ${handled} ConfigMap: json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string`,
    ],
    [
      'a string for a boolean',
      'Pod',
      '{"spec":{"hostNetwork":"yes"}}',
      `Pod ${handled} Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool`,
    ],
    [
      'a fraction for an integer',
      'Deployment',
      '{"spec":{"replicas":1.5}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'one written as a fraction',
      'Deployment',
      '{"spec":{"replicas":1.0}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 1.0 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'an integer beyond 32 bits',
      'Deployment',
      '{"spec":{"replicas":2147483648}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'a named string type',
      'Pod',
      '{"spec":{"restartPolicy":1}}',
      `Pod ${handled} Pod: json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy`,
    ],
    [
      'a bad quantity',
      'Pod',
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"lots"}}}]}}',
      `Pod ${handled} Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ],
    [
      'a bad time',
      'Pod',
      '{"metadata":{"creationTimestamp":"yesterday"}}',
      `Pod ${handled} Pod: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
    ],
    [
      'a micro time without its digits',
      'Lease',
      '{"spec":{"renewTime":"2026-01-01T00:00:00Z"}}',
      `Lease ${handled} Lease: parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"`,
    ],
    ['bad base64', 'Secret', '{"data":{"a":"a*b="}}', `Secret ${handled} Secret: illegal base64 data at input byte 1`],
    [
      'a fraction for int-or-string',
      'Deployment',
      '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0.5}}}}',
      `Deployment ${handled} Deployment: json: cannot unmarshal number 0.5 into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32`,
    ],
    [
      'another kind',
      'Deployment',
      '{"apiVersion":"v1","kind":"Pod"}',
      `Pod ${handled} Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion`,
    ],
    [
      'a kind that does not exist',
      'Deployment',
      '{"apiVersion":"apps/v1","kind":"Foo"}',
      `Foo ${handled} Deployment: no kind "Foo" is registered for version "apps/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
    ],
    [
      'nonsense instead of JSON',
      'Pod',
      'hello',
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value (68656c6c6f)",
    ],
    [
      'an empty body',
      'Pod',
      '',
      "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      'a list as body',
      'Pod',
      '[]',
      'the object provided is unrecognized (must be of type Pod): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
    ],
    [
      'a group version of three parts',
      'Pod',
      '{"apiVersion":"a/b/c"}',
      'the object provided is unrecognized (must be of type Pod): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})',
    ],
  ])('%s', (_name, kind, body, message) => {
    expect(refusal(() => decode(kind, body))).toBe(message);
  });

  test('the same kind in another version of its group', () => {
    const hpa = {
      group: 'autoscaling',
      version: 'v2',
      kind: 'HorizontalPodAutoscaler',
      schema: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
    };
    const bytes = Buffer.from('{"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler"}');
    expect(refusal(() => codec.decodeBody({ bytes, mediaType: 'application/json' }, hpa, 'Warn'))).toBe(
      'the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)',
    );
  });
});

describe('a value of the wrong type', () => {
  test.each<[string, string]>([
    ['{"spec":{"nodeName":5,"nodeName":"b"}}', 'json: cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string'],
    [
      '{"metadata":{"labels":{"a":1},"labels":{"b":"2"}}}',
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"1x","cpu":"1"}}}]}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('a value of a wrong type is refused although another comes after it: %s', (text, why) => {
    expect(refusal(() => decode('Pod', text, 'Ignore'))).toBe(`Pod in version "v1" cannot be handled as a Pod: ${why}`);
  });

  test.each<[string, string]>([
    [
      '{"spec":{"volumes":[{"configMap":{"name":5}}]}}',
      'number into Go struct field ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.LocalObjectReference.name of type string',
    ],
    ['{"metadata":{"creationTimestamp":5}}', 'number into Go struct field ObjectMeta.metadata.creationTimestamp of type string'],
    [
      '{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":true}}}]}}',
      'bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32',
    ],
    [
      '{"status":{"nodeAllocatableResourceClaimStatuses":[{"resources":5}]}}',
      'number into Go struct field NodeAllocatableResourceClaimStatus.status.nodeAllocatableResourceClaimStatuses.resources of type map[v1.ResourceName]resource.Quantity',
    ],
    [
      '{"spec":{"nodeName":5,"activeDeadlineSeconds":"x"},"metadata":{"creationTimestamp":"x"}}',
      'number into Go struct field PodSpec.spec.nodeName of type string',
    ],
  ])('the first wrong type is named as Go names it: %s', (text, why) => {
    expect(refusal(() => decode('Pod', text))).toBe(`Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ${why}`);
  });

  test.each<[KindName, string, string]>([
    [
      'SubjectAccessReview',
      '{"spec":{"extra":5}}',
      'number into Go struct field SubjectAccessReviewSpec.spec.extra of type map[string]v1.ExtraValue',
    ],
    [
      'SubjectAccessReview',
      '{"spec":{"extra":{"a":5}}}',
      'number into Go struct field SubjectAccessReviewSpec.spec.extra of type v1.ExtraValue',
    ],
    ['ConfigMap', '{"binaryData":{"a":[256]}}', 'number 256 into Go struct field ConfigMap.binaryData of type uint8'],
  ])('names of maps, lists and bytes: %s %s', (kind, text, why) => {
    expect(refusal(() => decode(kind, text))).toContain(`json: cannot unmarshal ${why}`);
  });
});
