import { silentLog } from '#base/log.ts';
import { backendConformance } from '../conformance.ts';
import { NftablesBackend } from './nftables.ts';

backendConformance(
  (namespace) => new NftablesBackend({ podCidrs: ['10.244.0.0/16'], log: silentLog, prefix: ['ip', 'netns', 'exec', namespace] }),
);
