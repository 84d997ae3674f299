import { expect, test } from 'vitest';
import { CounterCells, HistogramCells } from './metric-cells.ts';
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
