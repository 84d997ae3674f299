// data: bodies as Go's encoder writes them, sent by kubectl 1.35: definition -> base64.
export const goBodies: Readonly<Record<string, string>> = {
  'io.k8s.api.batch.v1.Job': `
    azhzAAoPCghiYXRjaC92MRIDSm9iEpEBChEKAWoSABoAIgAqADIAOABCABJyMnAKEAoAEgAaACIAKgAyADgAQgASXBI5CgFqEgNhOjEaAnNoGgItYxoBeBoQ
    LS12YWxpZGF0ZT1mYWxzZSoAQgBqAHIAgAEAiAEAkAEAogEAGgVOZXZlcjIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAGgggACgAMAA6ABoAIgA=`,
  'io.k8s.api.batch.v1.CronJob': `
    azhzAAoTCghiYXRjaC92MRIHQ3JvbkpvYhKWAQoRCgFjEgAaACIAKgAyADgAQgASfwoLKi81ICogKiAqICoaACpuChEKAWMSABoAIgAqADIAOABCABJZMlcK
    EAoAEgAaACIAKgAyADgAQgASQxIcCgFjEgNhOjEqAEIAagByAIABAIgBAJABAKIBABoJT25GYWlsdXJlMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAaABoA
    IgA=`,
  'io.k8s.api.rbac.v1.RoleBinding': `
    azhzAAorChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEgtSb2xlQmluZGluZxJsChIKAnJiEgAaACIAKgAyADgAQgASJgoEVXNlchIZcmJhYy5hdXRo
    b3JpemF0aW9uLms4cy5pbxoBdSIAGi4KGXJiYWMuYXV0aG9yaXphdGlvbi5rOHMuaW8SC0NsdXN0ZXJSb2xlGgR2aWV3GgAiAA==`,
  'io.k8s.api.rbac.v1.ClusterRoleBinding': `
    azhzAAoyChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEhJDbHVzdGVyUm9sZUJpbmRpbmcSbgoTCgNjcmISABoAIgAqADIAOABCABInCgVHcm91cBIZ
    cmJhYy5hdXRob3JpemF0aW9uLms4cy5pbxoBZyIAGi4KGXJiYWMuYXV0aG9yaXphdGlvbi5rOHMuaW8SC0NsdXN0ZXJSb2xlGgR2aWV3GgAiAA==`,
  'io.k8s.api.networking.v1.Ingress': `
    azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJAChEKAWkSABoAIgAqADIAOABCABInGiIKAWgSHQobChkKAi9wEgsiCQoBcxIECgAQUBoG
    UHJlZml4IgF4GgIKABoAIgA=`,
  'io.k8s.api.policy.v1.PodDisruptionBudget': `
    azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSNgoRCgFwEgAaACIAKgAyADgAQgASFQoJCAEQABoDNTAlEggKBgoBYRIBYhoKCAAYACAA
    KAAwABoAIgA=`,
  'io.k8s.api.core.v1.ResourceQuota': `
    azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRI0ChEKAXESABoAIgAqADIAOABCABIdCgoKA2NwdRIDCgExCg8KBm1lbW9yeRIFCgMxR2kaABoAIgA=`,
  'io.k8s.api.scheduling.v1.PriorityClass': `
    azhzAAolChRzY2hlZHVsaW5nLms4cy5pby92MRINUHJpb3JpdHlDbGFzcxI6ChIKAnBjEgAaACIAKgAyADgAQgAQ+///////////ARgAIgFkKhRQcmVlbXB0
    TG93ZXJQcmlvcml0eRoAIgA=`,
  'io.k8s.api.core.v1.ConfigMap': `
    azhzAAoPCgJ2MRIJQ29uZmlnTWFwEhwKEgoCY20SABoAIgAqADIAOABCABIGCgFhEgFiGgAiAA==`,
  'io.k8s.api.core.v1.Namespace': `
    azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhkKEQoBbhIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==`,
  'io.k8s.api.core.v1.ServiceAccount': `
    azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSFAoSCgJzYRIAGgAiACoAMgA4AEIAGgAiAA==`,
  'io.k8s.api.authentication.v1.TokenRequest': `
    azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMgsAkaBAoAEgAaACIA`,
};
