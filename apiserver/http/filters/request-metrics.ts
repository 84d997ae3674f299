// Counts and times requests, under upstream's names, labels and buckets. The series of one shape of request are looked up once a
// request, by a text that is cheap to make; counting itself is an addition.
import type { Clock } from '#base/clock.ts';
import { type CounterCell, CounterCells, type HistogramCell, HistogramCells } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Exchange } from '../exchange.ts';
import { isLongRunning } from '../long-running.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Filter } from './filter.ts';

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/** Paths that nobody serves must not fill the memory with series. */
const maxShapes = 2_000;
const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };
const connects = new Set(['attach', 'exec', 'portforward', 'proxy']);

interface Families {
  readonly total: CounterCells;
  readonly seconds: HistogramCells;
  readonly sizes: HistogramCells;
  readonly running: CounterCells;
}

/** The series of all requests of one shape. */
interface Shape {
  readonly codes: Map<number, CounterCell>;
  readonly seconds: HistogramCell | undefined;
  readonly sizes: HistogramCell | undefined;
  readonly running: CounterCell | undefined;
}

/** Counts what is served. */
export function requestMetrics(metrics: Metrics, clock: Clock): Filter {
  const families = registered(metrics);
  const shapes = new Map<string, Shape>();
  const shapeOf = (exchange: Exchange): Shape | undefined => {
    const key = keyOf(exchange);
    const known = shapes.get(key);
    if (known !== undefined || shapes.size >= maxShapes) return known;
    const made = newShape(exchange, families);
    shapes.set(key, made);
    return made;
  };
  return (exchange, next) => {
    let running: CounterCell | undefined;
    if (isLongRunning(exchange.info)) {
      running = shapeOf(exchange)?.running;
      if (running !== undefined) running.value++;
    }
    exchange.onDone = () => {
      if (running !== undefined) running.value--;
      const code = exchange.response.statusCode;
      const isThere = exchange.isServed && (exchange.info.isResource || code !== 404);
      const shape = isThere ? shapeOf(exchange) : undefined;
      if (shape === undefined) return;
      let counted = shape.codes.get(code);
      if (counted === undefined) {
        counted = families.total.cell([String(code), ...requestLabels(exchange)]);
        shape.codes.set(code, counted);
      }
      counted.value++;
      shape.seconds?.observe((clock.monotonicMs() - exchange.startMs) / 1_000);
      shape.sizes?.observe(exchange.sentBytes);
    };
    return next(exchange);
  };
}

function registered(metrics: Metrics): Families {
  const plain = ['component', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];
  const withDryRun = ['component', 'dry_run', 'group', 'resource', 'scope', 'subresource', 'verb', 'version'];
  return {
    total: metrics.add(
      new CounterCells('apiserver_request_total', 'Requests by verb, resource and the code of the answer.', ['code', ...withDryRun]),
    ),
    seconds: metrics.add(
      new HistogramCells('apiserver_request_duration_seconds', 'How long requests took, in seconds.', durationBuckets, withDryRun),
    ),
    sizes: metrics.add(new HistogramCells('apiserver_response_sizes', 'Bytes of the answers to GET and LIST.', sizeBuckets, plain)),
    running: metrics.add(new CounterCells('apiserver_longrunning_requests', 'Long-running requests that are open.', plain, 'gauge')),
  };
}

function newShape(exchange: Exchange, { seconds, sizes, running }: Families): Shape {
  const isLong = isLongRunning(exchange.info);
  const all = requestLabels(exchange);
  const plain = all.filter((_label, at) => at !== 1);
  const isRead = exchange.info.verb === 'get' || exchange.info.verb === 'list';
  return {
    codes: new Map(),
    seconds: isLong ? undefined : seconds.cell(all),
    sizes: isRead && !isLong ? sizes.cell(plain) : undefined,
    running: isLong ? running.cell(plain) : undefined,
  };
}

function keyOf(exchange: Exchange): string {
  const { info } = exchange;
  if (!info.isResource) return `${info.verb} ${info.path}`;
  const { verb, group, version, resource, subresource } = info;
  return `${verb} ${group} ${version} ${resource} ${subresource} ${scopeOf(info)} ${dryRunOf(exchange)} ${isApply(exchange) ? 1 : 0}`;
}

/** component, dry_run, group, resource, scope, subresource, verb, version. */
function requestLabels(exchange: Exchange): string[] {
  const { info } = exchange;
  const dryRun = dryRunOf(exchange);
  if (!info.isResource) return ['apiserver', dryRun, '', '', '', info.path, info.verb.toUpperCase(), ''];
  const { group, resource, subresource, version } = info;
  return ['apiserver', dryRun, group, resource, scopeOf(info), subresource, verbOf(exchange), version];
}

function verbOf(exchange: Exchange): string {
  const { verb, subresource, isWatchPath } = exchange.info;
  if (isWatchPath) return 'WATCH';
  if (connects.has(subresource)) return 'CONNECT';
  return isApply(exchange) ? 'APPLY' : (verbNames[verb] ?? verb.toUpperCase());
}

function isApply({ info, request }: Exchange): boolean {
  return info.verb === 'patch' && request.headers['content-type']?.startsWith('application/apply-patch') === true;
}

function dryRunOf({ query }: Exchange): string {
  return query.raw !== '' && query.getAll('dryRun').includes('All') ? 'All' : '';
}

function scopeOf(info: RequestInfo): string {
  if (!info.isResource) return '';
  if (info.name !== '' || info.verb === 'create') return 'resource';
  return info.namespace === '' ? 'cluster' : 'namespace';
}
