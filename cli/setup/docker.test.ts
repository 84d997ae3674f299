import { expect, test } from 'vitest';
import { dockerdArgs } from './docker.ts';

test.each([
  ['', ['--live-restore']],
  ['{"data-root": "/data"}', ['--live-restore']],
  ['{"live-restore": false}', []],
  ['{"live-restore": true}', []],
])('an engine of ours lets containers live; what %j says counts', (daemonJson, expected) => {
  expect(dockerdArgs(daemonJson)).toEqual(expected);
});
