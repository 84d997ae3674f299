// Counters and histograms for hot paths. A cell is one series: its labels are written out once, and counting is an addition; the text
// is made when somebody asks. A library's counters look their labels up on every call, which costs more than what is measured.

/** One series that is counted. */
export interface CounterCell {
  value: number;
}

/** Counters of one name; they may go down where they are a gauge. */
export class CounterCells {
  readonly #head: string;
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #cells = new Map<string, CounterCell>();

  /** @param labels in the order of the values that `cell` gets; upstream's order is the alphabet's. */
  constructor(name: string, help: string, labels: readonly string[], type: 'counter' | 'gauge' = 'counter') {
    this.#head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
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

  text(): string {
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
  readonly #head: string;
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #labels: readonly string[];
  readonly #cells = new Map<string, HistogramCell>();

  constructor(name: string, help: string, bounds: readonly number[], labels: readonly string[]) {
    this.#head = `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
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

  text(): string {
    return this.#head + Array.from(this.#cells, ([labels, cell]) => cell.text(this.#name, labels)).join('');
  }
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
