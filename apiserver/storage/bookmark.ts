import type { WatchFrame } from '../registry/contract.ts';
import type { ServedForm } from './served-form.ts';

/** A bookmark: an object of the kind with nothing but a resourceVersion. `endsInitial` marks the end of a streamed list. */
export function bookmarkFrame(form: ServedForm, revision: number, endsInitial: boolean): WatchFrame {
  const annotations = endsInitial ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : '';
  const json = Buffer.from(`${form.head.toString()}"resourceVersion":"${revision}"${annotations}}}`);
  return {
    type: 'BOOKMARK',
    line: Buffer.from(`{"type":"BOOKMARK","object":${json.toString()}}\n`),
    encoded: { json, resourceVersion: String(revision), object: () => JSON.parse(json.toString()) },
  };
}
