import { type Figure, type Quantity, reaches } from './figure.ts';

const columns = ['what', 'Coxswain', 'target', '', 'raw Node', 'CPU µs/op', 'raw', 'note'] as const;
const widths = [46, 12, 12, 2, 12, 10, 6] as const;

export function headLine(): string {
  return `${line(columns)}\n${widths.map((width) => '-'.repeat(width)).join('  ')}`;
}

export function figureLine(figure: Figure): string {
  const { what, ours, target, raw, cpu, note } = figure;
  const verdict = reaches(figure);
  return line([
    what,
    text(ours),
    target === undefined ? '' : `${target.unit === '/s' ? '≥' : '≤'} ${text(target)}`,
    verdict === undefined ? '' : verdict ? '✓' : '✗',
    raw === undefined ? '' : text(raw),
    cpu === undefined ? '' : cpu.oursMicros.toFixed(1),
    cpu?.rawMicros === undefined ? '' : cpu.rawMicros.toFixed(1),
    note ?? '',
  ]);
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : at < widths.length ? cell.padStart(widths[at] ?? 0) : cell))
    .join('  ')
    .trimEnd();
}

function text({ value, unit }: Quantity): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  const number = value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, digits === 0 ? ',' : '');
  return unit === '/s' ? `${number}/s` : `${number} ${unit}`;
}
