import { describe, expect, it } from 'vitest';
import { routeOf } from './route.ts';

describe('routeOf', () => {
  const target = { namespace: 'n', pod: 'p', uid: undefined, container: 'c' };

  it.each<[string, string, object]>([
    ['GET', '/healthz', { kind: 'healthz', path: '/healthz' }],
    ['GET', '/healthz/log/', { kind: 'healthz', path: '/healthz/log' }],
    ['GET', '/metrics/slis', { kind: 'slis' }],
    ['GET', '/pods/', { kind: 'pods' }],
    ['GET', '/stats/summary', { kind: 'statsSummary' }],
    ['GET', '/containerLogs/n/p/c', { kind: 'containerLogs', target }],
    ['POST', '/exec/n/p/c', { kind: 'exec', target }],
    ['GET', '/exec/n/p/u/c', { kind: 'exec', target: { ...target, uid: 'u' } }],
    ['POST', '/attach/n/p/c', { kind: 'attach', target }],
    ['POST', '/run/n/p/c', { kind: 'run', target }],
    ['POST', '/portForward/n/p', { kind: 'portForward', target: { namespace: 'n', pod: 'p', uid: undefined } }],
    ['GET', '/logs/pods/a%20b', { kind: 'logs', path: '/pods/a b' }],
    ['PUT', '/debug/flags/v', { kind: 'debug', path: '/debug/flags/v' }],
    ['POST', '/portForward/n/p/u', { kind: 'portForward', target: { namespace: 'n', pod: 'p', uid: 'u' } }],
  ])('%s %s', (method, path, wanted) => {
    expect(routeOf(method, path)).toEqual(wanted);
  });

  it.each([
    '/',
    '/nothing',
    '/healthz/none',
    '/exec/n/p',
    '/exec/n//c',
    '/exec/n/p/u/c/x',
    '/containerLogs/n/p/u/c',
    '/portForward/n',
    '/exec/n/%zz/c',
    '/logsx',
  ])('knows no %s', (path) => {
    expect(() => routeOf('GET', path)).toThrow(expect.objectContaining({ status: 404, message: '404 page not found' }));
  });

  it('says which methods there are', () => {
    expect(() => routeOf('DELETE', '/pods')).toThrow(expect.objectContaining({ status: 405, headers: { Allow: 'GET' } }));
    expect(() => routeOf('GET', '/run/n/p/c')).toThrow(expect.objectContaining({ status: 405 }));
  });
});
