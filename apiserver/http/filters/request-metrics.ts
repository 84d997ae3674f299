// Counts and times requests, under upstream's names, labels and buckets. The series of one shape of request are looked up once a
// request, by a text that is cheap to make; counting itself is an addition.
import type { Clock } from '#base/clock.ts';
import type { CounterCell, HistogramCell } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Exchange } from '../exchange.ts';
import { isLongRunning } from '../long-running.ts';
import type { RequestInfo } from '../request-info.ts';
import type { Filter } from './filter.ts';
import { type RequestFamilies, requestFamilies } from './request-families.ts';

/** Unserved paths must not create series without bound. */
const maxShapes = 2_000;
const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };
const connects = new Set(['attach', 'exec', 'portforward', 'proxy']);

const bodyVerbs: Readonly<Record<string, string>> = { deletecollection: 'delete_collection' };

/** The series of all requests of one shape. */
interface Shape {
  readonly codes: Map<number, CounterCell>;
  readonly seconds: HistogramCell;
  readonly sli: HistogramCell;
  readonly bodies: HistogramCell | undefined;
  readonly sizes: HistogramCell | undefined;
  readonly running: CounterCell | undefined;
}

/** Counts what is served. */
export function requestMetrics(metrics: Metrics, clock: Clock): Filter {
  const families = requestFamilies(metrics);
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
      if (exchange.isTerminated) families.terminated.cell([String(code), ...withoutDryRun(requestLabels(exchange))]).value++;
      const isThere = exchange.isServed && (exchange.info.isResource || code !== 404);
      const shape = isThere ? shapeOf(exchange) : undefined;
      if (shape === undefined) return;
      let counted = shape.codes.get(code);
      if (counted === undefined) {
        counted = families.total.cell([String(code), ...requestLabels(exchange)]);
        shape.codes.set(code, counted);
      }
      counted.value++;
      const seconds = (clock.monotonicMs() - exchange.startMs) / 1_000;
      shape.seconds.observe(seconds);
      shape.sli.observe(seconds);
      if (exchange.receivedBytes !== undefined) shape.bodies?.observe(exchange.receivedBytes);
      shape.sizes?.observe(exchange.sentBytes);
    };
    return next(exchange);
  };
}

function newShape(exchange: Exchange, families: RequestFamilies): Shape {
  const { info } = exchange;
  const isLong = isLongRunning(info);
  const all = requestLabels(exchange);
  const plain = withoutDryRun(all);
  const { group, resource, subresource, version, verb } = info;
  if (exchange.isDeprecated) families.deprecated.cell([group, '', resource, subresource, version]).value = 1;
  const isRead = verb === 'get' || verb === 'list';
  return {
    codes: new Map(),
    seconds: families.seconds.cell(all),
    sli: families.sli.cell(plain),
    bodies: info.isResource && !isRead && !isLong ? families.bodies.cell([group, resource, bodyVerbs[verb] ?? verb]) : undefined,
    sizes: isRead && !isLong ? families.sizes.cell(plain) : undefined,
    running: isLong ? families.running.cell(plain) : undefined,
  };
}

/** The labels of families without a dry-run label. */
function withoutDryRun(labels: readonly string[]): string[] {
  return labels.filter((_label, at) => at !== 1);
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

/** Upstream's word for how much a request covers; '' for paths. */
export function scopeOf(info: RequestInfo): string {
  if (!info.isResource) return '';
  if (info.name !== '' || info.verb === 'create') return 'resource';
  return info.namespace === '' ? 'cluster' : 'namespace';
}
