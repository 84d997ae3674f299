import type { V1PodTemplate } from '#api/generated/types.ts';
import { defineKind } from '../kind.ts';
import { labelsText, nameColumn, templateColumns } from '../meta/columns.ts';
import { equalValues } from '../meta/equality.ts';
import type { ObjectMeta } from '../meta/object.ts';
import { defaultPodTemplate } from './pod/pod-defaults.ts';
import { validatePodTemplate } from './pod/template.ts';
import { podSpecWarnings } from './pod/warnings.ts';

export interface PodTemplate extends V1PodTemplate {
  metadata: ObjectMeta;
}

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  scope: 'namespaced',
  names: { plural: 'podtemplates' },
  schema: 'io.k8s.api.core.v1.PodTemplate',
  answersDeleted: true,
  hasGeneration: true,
  defaults: [
    (object) => {
      object.template ??= {};
      defaultPodTemplate(object.template);
    },
  ],
  validate: ({ template = {} }) => validatePodTemplate(template, 'template'),
  warnings: ({ template }, prev) =>
    template?.spec === undefined || equalValues(template, prev?.template)
      ? []
      : podSpecWarnings(template.spec, 'template.spec', template.metadata),
  columns: [
    nameColumn,
    ...templateColumns<PodTemplate>(
      ({ template }) => template,
      () => '',
    )
      .slice(0, 2)
      .map((column) => ({ ...column, priority: 0 })),
    {
      name: 'Pod Labels',
      description: 'The labels for the pod template.',
      value: ({ template }) => labelsText(template?.metadata?.labels),
    },
  ],
});
