// What the tables of many kinds have in common (pkg/printers/internalversion/printers.go).
import type { V1LabelSelector, V1PodTemplateSpec } from '#api/generated/types.ts';
import { ageDescription, type Column } from '../kind.ts';
import { SelectorError } from './label-requirement.ts';
import { labelSelectorOf } from './label-selector.ts';
import type { KubeObject } from './object.ts';

const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

/** The first column of nearly every kind. */
export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  format: 'name',
  description: nameDescription,
  value: (object) => object.metadata.name ?? '',
};

/** How long an object exists: `5m`. */
export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  description: ageDescription,
  value: (object, nowMs) => sinceText(object.metadata.creationTimestamp, nowMs),
};

/** Names, images and selector of what makes pods, for wide output. */
export function templateColumns<T extends KubeObject>(
  templateOf: (object: T) => V1PodTemplateSpec | undefined,
  selectorText: (object: T) => string,
): Column<T>[] {
  const containers = (object: T) => templateOf(object)?.spec?.containers ?? [];
  return [
    {
      name: 'Containers',
      priority: 1,
      description: 'Names of each container in the template.',
      value: (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(','),
    },
    {
      name: 'Images',
      priority: 1,
      description: 'Images referenced by each container in the template.',
      value: (object) =>
        containers(object)
          .map(({ image }) => image ?? '')
          .join(','),
    },
    { name: 'Selector', priority: 1, value: selectorText },
  ];
}

/** Time since a timestamp in upstream's short form; `<unknown>` where there is none. */
export function sinceText(timestamp: string | undefined | null, nowMs: number): string {
  if (timestamp === undefined || timestamp === null || timestamp === '') return '<unknown>';
  return durationText(nowMs - Date.parse(timestamp));
}

/** `45s`, `3m20s`, `17m`, `5h12m`, `2d`: fewer parts the longer it is. */
export function durationText(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1_000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return twoParts(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return twoParts(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return twoParts(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return days < 2_920 ? twoParts(years, 'y', days % 365, 'd') : `${years}y`;
}

function twoParts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** `a=b,c=d`, sorted; `<none>` for none. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted();
  return pairs.length === 0 ? '<none>' : pairs.join(',');
}

/** The text form of a selector object; `<none>` for an empty one. */
export function selectorText(selector: V1LabelSelector | undefined): string {
  if (selector === undefined) return '<none>';
  try {
    return String(labelSelectorOf(selector)) || '<none>';
  } catch (error) {
    if (error instanceof SelectorError) return '<error>';
    throw error;
  }
}

/** At most three items, then how many more there are; `empty` for none. */
export function shortList(items: readonly string[], empty: string): string {
  if (items.length === 0) return empty;
  if (items.length <= 3) return items.join(',');
  return `${items.slice(0, 3).join(',')} + ${items.length - 3} more...`;
}
