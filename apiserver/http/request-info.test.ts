import { describe, expect, test } from 'vitest';
import { Query } from './query.ts';
import { parseRequestInfo, type RequestInfo } from './request-info.ts';

type Part = Partial<RequestInfo>;

const cases: [string, string, string, Part][] = [
  ['GET', '/', '', { isResource: false, verb: 'get' }],
  ['GET', '/api/v1', '', { isResource: false }],
  ['GET', '/apis/apps/v1', '', { isResource: false }],
  ['GET', '/api/v1/pods', '', { verb: 'list', resource: 'pods', namespace: '', hasNamespacePart: false }],
  ['GET', '/api/v1/pods', 'watch=true', { verb: 'watch' }],
  ['GET', '/api/v1/pods', 'watch=false', { verb: 'list' }],
  ['GET', '/api/v1/pods', 'watch=0', { verb: 'list' }],
  ['GET', '/api/v1/pods', 'watch=', { verb: 'watch' }],
  ['GET', '/api/v1/namespaces/a/pods/b', '', { verb: 'get', namespace: 'a', resource: 'pods', name: 'b', pathName: 'b' }],
  ['GET', '/api/v1/namespaces/a/pods/b', 'watch=1', { verb: 'get', name: 'b' }],
  ['GET', '/api/v1/namespaces', '', { verb: 'list', resource: 'namespaces', namespace: '' }],
  ['GET', '/api/v1/namespaces/a', '', { verb: 'get', resource: 'namespaces', namespace: 'a', name: 'a', hasNamespacePart: false }],
  ['PUT', '/api/v1/namespaces/a/status', '', { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'status' }],
  ['PUT', '/api/v1/namespaces/a/finalize', '', { resource: 'namespaces', subresource: 'finalize', hasNamespacePart: false }],
  ['POST', '/api/v1/namespaces/a/pods/b/exec', '', { verb: 'create', resource: 'pods', subresource: 'exec', rest: '' }],
  ['GET', '/api/v1/namespaces/a/pods/b/proxy/x/y/', '', { subresource: 'proxy', rest: '/x/y/' }],
  ['GET', '/api/v1/namespaces/a/pods/b/proxy/', '', { subresource: 'proxy', rest: '' }],
  ['GET', '/api/v1/namespaces/a/pods/b/proxy//', '', { subresource: 'proxy', rest: '/' }],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', '', { verb: 'deletecollection', group: 'apps', resource: 'deployments' }],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments/d', '', { verb: 'delete', name: 'd' }],
  ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale', '', { verb: 'patch', subresource: 'scale' }],
  ['GET', '/api/v1/watch/pods', '', { verb: 'watch', resource: 'pods', isWatchPath: true }],
  ['GET', '/api/v1/watch/namespaces/a/pods/b', '', { verb: 'watch', namespace: 'a', resource: 'pods', pathName: 'b', isWatchPath: true }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx', { verb: 'list', name: 'x', pathName: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name!%3Dx', { verb: 'list', name: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx,spec.nodeName%3Dn', { verb: 'list', name: 'x' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx,foo', { verb: 'list', name: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx,foo&watch=true', { verb: 'watch', name: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx&labelSelector=!!', { verb: 'list', name: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx&limit=many', { verb: 'list', name: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Da%5C%2Cb', { verb: 'list', name: 'a,b' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3D..', { verb: 'list', name: '' }],
  ['GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx&fieldSelector=metadata.name%3Dy', { verb: 'list', name: 'x' }],
  ['DELETE', '/api/v1/pods', 'fieldSelector=metadata.name%3Dx', { verb: 'deletecollection', name: '' }],
  ['GET', '/apis/g/v/watch/things', 'fieldSelector=metadata.name%3Dx', { verb: 'watch', name: '', resource: 'things' }],
  ['GET', '/apis/g/v/watch/things/x', 'fieldSelector=metadata.name%3Dy', { verb: 'watch', name: 'x' }],
  ['HEAD', '/api/v1/namespaces/a/pods/b', '', { verb: 'get', name: 'b' }],
  ['HEAD', '/api/v1/pods', '', { verb: 'list' }],
  ['OPTIONS', '/api/v1/pods', '', { isResource: true, verb: '' }],
  ['GET', '/api/v1/proxy/namespaces/other/pods/foo', '', { verb: 'proxy', namespace: 'other', resource: 'pods', name: 'foo' }],
  ['GET', '/api/v1/proxy/namespaces/a/pods/foo/sub/path', '', { verb: 'proxy', resource: 'pods', name: 'foo', subresource: '' }],
  ['DELETE', '/api/v1/nodes', '', { verb: 'deletecollection', namespace: '', resource: 'nodes' }],
  ['DELETE', '/api/v1/namespaces', '', { verb: 'deletecollection', namespace: '', resource: 'namespaces' }],
  ['POST', '/apis/extensions/v1beta3/namespaces/o/pods', '', { verb: 'create', group: 'extensions', version: 'v1beta3', namespace: 'o' }],
  ['GET', '/api/version/', '', { isResource: false }],
  ['GET', '/apis/group/version/', '', { isResource: false }],
  ['GET', '/apis/version/resource', '', { isResource: false }],
  ['GET', '/badprefix/version/resource', '', { isResource: false }],
  ['GET', '/api/version/resource/name/subresource', '', { isResource: true, subresource: 'subresource' }],
  ['GET', '/apis/batch/v1/job/foo/scale', '', { isResource: true, name: 'foo', subresource: 'scale' }],
  ['GET', '//api/v1/pods/', '', { verb: 'list', resource: 'pods' }],
];

describe('request info', () => {
  test.each(cases)('%s %s?%s', (method, path, query, expected) => {
    expect(parseRequestInfo(method, path, new Query(query))).toMatchObject(expected);
  });

  test('a watch path without a kind is no request', () => {
    expect(parseRequestInfo('GET', '/api/v1/watch', new Query(''))).toBeUndefined();
  });
});
