import type { AdmissionPlugin } from '../registry/contract.ts';
import { refusal } from './refusal.ts';

/** Lets everything in: kept by upstream for command lines that name it. */
export const alwaysAdmit: AdmissionPlugin = { name: 'AlwaysAdmit' };

/** Refuses every write and every connection. */
export const alwaysDeny: AdmissionPlugin = {
  name: 'AlwaysDeny',
  seesConnects: true,
  mutate: (request) => {
    throw refusal(request, 'admission control is denying all modifications');
  },
};
