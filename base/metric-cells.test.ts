import { expect, test } from 'vitest';
import { CounterCells, HistogramCell, HistogramCells, kept, SampledFamily, SampledHistograms } from './metric-cells.ts';
import { readMetrics } from './metric-text.ts';
import { createMetrics } from './metrics.ts';

test('counters stand in the text with their labels', async () => {
  const metrics = createMetrics();
  const cells = metrics.add(new CounterCells('things_total', 'Things.', ['code', 'verb']));
  cells.cell(['200', 'GET']).value += 2;
  cells.cell(['200', 'GET']).value++;
  cells.cell(['a"b\\\n', '']).value++;
  metrics.gauge('other', 'Other.').set(1);
  const text = await metrics.text();
  expect(text).toContain('# HELP things_total Things.\n# TYPE things_total counter\nthings_total{code="200",verb="GET"} 3\n');
  expect(text).toContain('things_total{code="a\\"b\\\\\\n",verb=""} 1\n');
  expect(text).toContain('other 1\n');
});

test('histograms count up to their bounds', () => {
  const cells = new HistogramCells('took_seconds', 'Took.', [0.1, 1], ['verb']);
  for (const value of [0.05, 0.1, 0.5, 7]) cells.cell(['GET']).observe(value);
  expect(cells.text()).toBe(
    `# HELP took_seconds Took.
# TYPE took_seconds histogram
took_seconds_bucket{verb="GET",le="0.1"} 2
took_seconds_bucket{verb="GET",le="1"} 3
took_seconds_bucket{verb="GET",le="+Inf"} 4
took_seconds_sum{verb="GET"} 7.65
took_seconds_count{verb="GET"} 4
`,
  );
});

test('what is only looked at when asked comes and goes, and its labels are written safely', async () => {
  const metrics = createMetrics();
  const figures = new Map([['a"b', 2]]);
  metrics.add(
    new SampledFamily('things', 'Things\nof \\ all sorts.', ['name'], 'gauge', () =>
      Array.from(figures, ([name, value]) => [[name], value]),
    ),
  );
  expect(await metrics.text()).toContain('# HELP things Things\\nof \\\\ all sorts.\n# TYPE things gauge\nthings{name="a\\"b"} 2\n');
  expect([...readMetrics(await metrics.text())]).toEqual([
    ['things', { help: 'Things\\nof \\\\ all sorts.', type: 'gauge', samples: [{ name: 'things', labels: { name: 'a"b' }, value: 2 }] }],
  ]);
  figures.clear();
  expect(await metrics.text()).toBe('');
});

test('histograms of others are told once they have counted', () => {
  const cell = new HistogramCell([1]);
  const family = new SampledHistograms('took_seconds', 'Took.', ['verb'], () => [[['GET'], cell]]);
  expect(family.text()).toBe('');
  cell.observe(2);
  expect(cell.count).toBe(1);
  expect(family.text()).toContain('took_seconds_bucket{verb="GET",le="+Inf"} 1\n');
});

test('series are found again by the values of their labels', () => {
  const cells = new CounterCells('things_total', 'Things.', ['code', 'verb']);
  const find = kept(cells);
  find('200', 'GET').value++;
  find('200', 'PUT').value++;
  expect(find('200', 'GET')).toBe(cells.cell(['200', 'GET']));
  expect(find('200', 'GET').value).toBe(1);
  const single = kept(new CounterCells('all_total', 'All.', []));
  expect(single()).toBe(single());
});
