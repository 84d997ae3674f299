import type { V1MutatingWebhookConfiguration } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { defaultWebhooks, webhookConfiguration } from './webhooks.ts';

export interface MutatingWebhookConfiguration extends V1MutatingWebhookConfiguration {
  metadata: ObjectMeta;
}

export const mutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  ...webhookConfiguration,
  kind: 'MutatingWebhookConfiguration',
  names: { plural: 'mutatingwebhookconfigurations', categories: ['api-extensions'] },
  schema: 'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
  defaults: [
    ({ webhooks = [] }) => {
      for (const hook of webhooks) hook.reinvocationPolicy ??= 'Never';
      defaultWebhooks(webhooks);
    },
  ],
});
