import { expect, test } from 'vitest';
import { aPod, aService, secondsAgo } from '../builders.ts';
import { TriggerTimes, withTriggerTime } from './trigger-times.ts';

test('the first look gives the Service’s creation, later ones the earliest change since', () => {
  const times = new TriggerTimes();
  const service = aService();
  const pod = (name: string, readySeconds: number) => aPod({ name, readySeconds });
  expect(times.next('a', service, [pod('x', 50)])).toBe(secondsAgo(60));
  expect(times.next('a', service, [pod('x', 50)])).toBeUndefined();
  expect(times.next('a', service, [pod('x', 20), pod('y', 30)])).toBe(secondsAgo(30));
  expect(times.next('a', service, [pod('y', 30)])).toBeUndefined();
  expect(times.next('b', service, [])).toBe(secondsAgo(60));
  times.forget('a');
  expect(times.next('a', service, [pod('y', 5)])).toBe(secondsAgo(60));
});

test('the annotation of an earlier change goes', () => {
  const name = 'endpoints.kubernetes.io/last-change-trigger-time';
  expect(withTriggerTime({ [name]: 'before', own: 'a' }, undefined)).toEqual({ own: 'a' });
  expect(withTriggerTime(undefined, 'now')).toEqual({ [name]: 'now' });
});
