import type { V1ValidatingWebhookConfiguration } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { defaultWebhooks, webhookConfiguration } from './webhooks.ts';

export interface ValidatingWebhookConfiguration extends V1ValidatingWebhookConfiguration {
  metadata: ObjectMeta;
}

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  ...webhookConfiguration,
  kind: 'ValidatingWebhookConfiguration',
  names: { plural: 'validatingwebhookconfigurations', categories: ['api-extensions'] },
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  defaults: [({ webhooks }) => defaultWebhooks(webhooks)],
});
