import type { ListRequest } from './registry/contract.ts';

/** All objects of a kind, newest state. */
export const everything: ListRequest = {
  labelSelector: '',
  fieldSelector: '',
  limit: undefined,
  continue: '',
  resourceVersion: '',
  resourceVersionMatch: '',
};
