/** One line of a scrape: `name{label="value"} number`. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** An answer to a GET. */
export async function get(url: string): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(url);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

const sampleForm = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/;
/** As Go reads a number, which knows its words in any case. */
const numberForm = /^(?:[+-]?inf|nan|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i;
const labelForm = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/g;

/** What an endpoint tells, read as strictly as the text format 0.0.4 is written down. */
export class Scrape {
  readonly families: Family[] = [];
  readonly #samples: Sample[] = [];

  /** @throws Error for a line that Prometheus would refuse, and for samples twice or outside of their family. */
  constructor(text: string) {
    if (!text.endsWith('\n')) throw new Error('the last line has no end');
    const seen = new Set<string>();
    for (const line of text.split('\n').filter(Boolean)) {
      if (line.startsWith('#')) this.#comment(line);
      else if (seen.size === seen.add(line.slice(0, line.lastIndexOf(' '))).size)
        throw new Error(`twice: ${line}`);
      else this.#sample(line);
    }
  }

  /** Scrapes a worker process. */
  static async of(url: string): Promise<Scrape> {
    const { status, text } = await get(`${url}/metrics`);
    if (status !== 200) throw new Error(`/metrics answered ${status}: ${text}`);
    return new Scrape(text);
  }

  /** The samples of a metric that have these labels. */
  samples(name: string, labels: Readonly<Record<string, string>> = {}): readonly Sample[] {
    const wanted = Object.entries(labels);
    return this.#samples.filter(
      (one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value),
    );
  }

  /** The value of the one sample that has these labels; undefined where there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples(name, labels);
    if (found.length > 1) throw new Error(`${found.length} samples of ${name} have these labels`);
    return found[0]?.value;
  }

  #comment(line: string): void {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === undefined) throw new Error(`no comment that is known: ${line}`);
    const last = this.families.at(-1);
    if (kind === 'HELP') this.families.push({ name, type: '', help: rest });
    else if (last?.name !== name || last.type !== '') throw new Error(`a type out of place: ${line}`);
    else this.families[this.families.length - 1] = { ...last, type: rest };
  }

  #sample(line: string): void {
    const [, name, labels = '', text = ''] = sampleForm.exec(line) ?? [];
    if (name === undefined || !numberForm.test(text)) throw new Error(`no sample: ${line}`);
    const { name: family = '', type } = this.families.at(-1) ?? {};
    const suffix = name.slice(family.length);
    const suffixes =
      type === 'histogram'
        ? ['_bucket', '_sum', '_count']
        : type === 'summary'
          ? ['', '_sum', '_count']
          : [''];
    if (!name.startsWith(family) || !suffixes.includes(suffix)) throw new Error(`not of ${family}: ${line}`);
    const pairs = [...labels.matchAll(labelForm)].map(([, key = '', value = '']) => [key, unescaped(value)]);
    this.#samples.push({ name, labels: Object.fromEntries(pairs), value: Number(text) });
  }
}

function unescaped(value: string): string {
  return value.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
