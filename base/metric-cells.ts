// Counters and histograms for hot paths. A cell is one series: its labels are written out once, and counting is an addition; the text
// is rendered on scrape. A library's counters look their labels up on every call, which costs more than what is measured.

/** One series that is counted. */
export interface CounterCell {
  value: number;
}

/** Finds series by the values of their labels without writing these out again: for callers that hold the values but not the cell. */
export function kept<C>(cells: { cell(values: readonly string[]): C }): (...values: string[]) => C {
  const root = new Map<string, unknown>();
  return (...values) => {
    let at = root;
    for (let depth = 0; depth < values.length - 1; depth++) {
      const value = values[depth] ?? '';
      let below = at.get(value) as Map<string, unknown> | undefined;
      if (below === undefined) at.set(value, (below = new Map()));
      at = below;
    }
    const last = values.at(-1) ?? '';
    let cell = at.get(last) as C | undefined;
    if (cell === undefined) at.set(last, (cell = cells.cell(values)));
    return cell;
  };
}

/** Counters of one name; they may go down where they are a gauge. */
export class CounterCells {
  readonly help: string;
  readonly #head: string;
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #cells = new Map<string, CounterCell>();

  /** @param labels in the order of the values that `cell` gets; upstream's order is the alphabet's. */
  constructor(name: string, help: string, labels: readonly string[], type: 'counter' | 'gauge' = 'counter') {
    this.help = help;
    this.#head = head(name, help, type);
    this.#name = name;
    this.#labels = labels;
  }

  /** The series of these values, made on first use; whoever counts often keeps it. */
  cell(values: readonly string[]): CounterCell {
    const key = labelText(this.#labels, values);
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { value: 0 };
      this.#cells.set(key, cell);
    }
    return cell;
  }

  /** '' while nothing was counted. */
  text(): string {
    if (this.#cells.size === 0) return '';
    const lines = Array.from(this.#cells, ([labels, { value }]) => `${this.#name}${braced(labels)} ${value}\n`);
    return this.#head + lines.join('');
  }
}

/** One series of a histogram. */
export class HistogramCell {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** How often `observe` was called. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  text(name: string, labels: string): string {
    const comma = labels === '' ? '' : ',';
    let total = 0;
    let text = '';
    for (let at = 0; at < this.#counts.length; at++) {
      total += this.#counts[at] ?? 0;
      text += `${name}_bucket{${labels}${comma}le="${this.#bounds[at] ?? '+Inf'}"} ${total}\n`;
    }
    return `${text}${name}_sum${braced(labels)} ${this.#sum}\n${name}_count${braced(labels)} ${total}\n`;
  }
}

/** Histograms of one name. */
export class HistogramCells {
  readonly help: string;
  readonly #head: string;
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #labels: readonly string[];
  readonly #cells = new Map<string, HistogramCell>();

  constructor(name: string, help: string, bounds: readonly number[], labels: readonly string[]) {
    this.help = help;
    this.#head = head(name, help, 'histogram');
    this.#name = name;
    this.#bounds = bounds;
    this.#labels = labels;
  }

  /** The series of these values, made on first use. */
  cell(values: readonly string[]): HistogramCell {
    const key = labelText(this.#labels, values);
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = new HistogramCell(this.#bounds);
      this.#cells.set(key, cell);
    }
    return cell;
  }

  /** '' while nothing was counted. */
  text(): string {
    if (this.#cells.size === 0) return '';
    return this.#head + Array.from(this.#cells, ([labels, cell]) => cell.text(this.#name, labels)).join('');
  }
}

/** One series at the time of a scrape: its label values and its value. */
export type Sample = readonly [values: readonly string[], value: number];

/** Samples of existing state: read on scrape, and gone with the objects that they describe. */
export class SampledFamily {
  readonly help: string;
  readonly #head: string;
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #read: () => Iterable<Sample> | Promise<Iterable<Sample>>;

  constructor(
    name: string,
    help: string,
    labels: readonly string[],
    type: 'counter' | 'gauge',
    read: () => Iterable<Sample> | Promise<Iterable<Sample>>,
  ) {
    this.help = help;
    this.#head = head(name, help, type);
    this.#name = name;
    this.#labels = labels;
    this.#read = read;
  }

  /** '' while there are no samples. */
  async text(): Promise<string> {
    let lines = '';
    for (const [values, value] of await this.#read())
      lines += `${this.#name}${braced(labelText(this.#labels, values))} ${numberText(value)}\n`;
    return lines === '' ? '' : this.#head + lines;
  }
}

/** As Prometheus spells it. */
function numberText(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : String(value);
}

/** Histograms that live with the objects that they describe. */
export class SampledHistograms {
  readonly help: string;
  readonly #head: string;
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #read: () => Iterable<readonly [values: readonly string[], cell: HistogramCell]>;

  constructor(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Iterable<readonly [values: readonly string[], cell: HistogramCell]>,
  ) {
    this.help = help;
    this.#head = head(name, help, 'histogram');
    this.#name = name;
    this.#labels = labels;
    this.#read = read;
  }

  /** '' while nothing was counted. */
  text(): string {
    let lines = '';
    for (const [values, cell] of this.#read()) {
      if (cell.count > 0) lines += cell.text(this.#name, labelText(this.#labels, values));
    }
    return lines === '' ? '' : this.#head + lines;
  }
}

function head(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): string {
  return `# HELP ${name} ${help.replace(/[\\\n]/g, (char) => (char === '\n' ? '\\n' : '\\\\'))}\n# TYPE ${name} ${type}\n`;
}

function labelText(labels: readonly string[], values: readonly string[]): string {
  return labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`).join(',');
}

function escaped(value: string): string {
  return value.replace(/["\\\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}
