// Reads Prometheus' text format, for tests and tools that hold it against what is expected.

export interface ReadFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: ReadSample[];
}

interface ReadSample {
  /** With the family's endings, such as `_bucket`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A time may stand behind the figure. */
const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+?)(?: \d+)?$/;
const labelPart = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g;

/** Families by name. Throws on lines that are none of the format. */
export function readMetrics(text: string): Map<string, ReadFamily> {
  const families = new Map<string, ReadFamily>();
  let help = '';
  let current: ReadFamily | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (word === 'HELP') help = rest;
    else if (word === 'TYPE') {
      if (families.has(name)) throw new Error(`${name} comes twice`);
      families.set(name, (current = { help, type: rest, samples: [] }));
    } else {
      const [, sample, labels = '', value = ''] = sampleLine.exec(line) ?? [];
      if (sample === undefined || current === undefined) throw new Error(`no line of metrics: ${line}`);
      current.samples.push({ name: sample, labels: readLabels(labels), value: Number(value) });
    }
  }
  return families;
}

function readLabels(text: string): Record<string, string> {
  const unescaped = (value: string): string => value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  return Object.fromEntries(Array.from(text.matchAll(labelPart), ([, name = '', value = '']) => [name, unescaped(value)]));
}
