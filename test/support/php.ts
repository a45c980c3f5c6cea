import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { decodePhpJson, encodePhpJson, isQueueError, type PhpValue, recodePhpJson } from '../../src/index.js';

/** What think-queue does to a payload with PHP's JSON functions. */
export interface PhpJson {
  /** `json_encode(json_decode($text, true))`; undefined where `$text` is no JSON that PHP takes. */
  recode(text: string): Promise<string | undefined>;
  /**
   * `$p = json_decode($text, true); $p['attempts']++; json_encode($p)`.
   *
   * @throws Error as PHP with a framework's error handler does, where there are no attempts.
   */
  countUp(text: string): Promise<string>;
  close(): void;
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isQueueError(error, 'E_PAYLOAD_INVALID')) return undefined;
    throw error;
  }
}

const noAttempts = 'Undefined array key "attempts"';

/** PHP's part without PHP. */
export const emulatedPhp: PhpJson = {
  recode: async (text) => unlessRefused(() => recodePhpJson(text)),
  countUp: async (text) => {
    const value = unlessRefused(() => decodePhpJson(text));
    const attempts = value instanceof Map ? value.get('attempts') : undefined;
    if (attempts === undefined) throw new Error(noAttempts);
    const fields = new Map(value as ReadonlyMap<string, PhpValue>);
    return encodePhpJson(fields.set('attempts', Number(attempts) + 1));
  },
  close: () => {},
};

/** True where `php` is installed. The tests need none: what is emulated is held to what PHP was seen to do. */
export const isPhpInstalled = spawnSync('php', ['-n', '--version']).status === 0;

/** PHP's own functions where `php` is installed, else ours. */
export function openPhp(): PhpJson {
  return isPhpInstalled ? new RealPhp() : emulatedPhp;
}

// A line each way: the name of a function and its argument; the answer. Base64, as payloads hold newlines.
const program = String.raw`
while (($line = fgets(STDIN)) !== false) {
  [$verb, $coded] = explode(' ', rtrim($line, "\n"));
  $value = json_decode(base64_decode($coded), true);
  if (json_last_error() !== JSON_ERROR_NONE && $verb === 'recode') { echo "-\n"; continue; }
  if ($verb === 'countUp') {
    if (!is_array($value) || !array_key_exists('attempts', $value)) { echo "-\n"; continue; }
    $value['attempts']++;
  }
  $text = json_encode($value);
  echo $text === false ? "-\n" : '=' . base64_encode($text) . "\n";
}`;

class RealPhp implements PhpJson {
  readonly #process: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    // -n: as no php.ini says. These are the values that php.ini-production has, too.
    const flags = ['-n', '-d', 'precision=14', '-d', 'serialize_precision=-1'];
    this.#process = spawn('php', [...flags, '-r', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.#process.stdout === null) throw new Error('php has no output');
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#waiting.shift()?.(line));
    this.#process.on('exit', () => {
      for (const told of this.#waiting) told('!');
    });
  }

  recode(text: string): Promise<string | undefined> {
    return this.#ask('recode', text);
  }

  async countUp(text: string): Promise<string> {
    const answer = await this.#ask('countUp', text);
    if (answer === undefined) throw new Error(noAttempts);
    return answer;
  }

  close(): void {
    this.#process.stdin?.end();
  }

  async #ask(verb: string, text: string): Promise<string | undefined> {
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin?.write(`${verb} ${Buffer.from(text).toString('base64')}\n`);
    });
    if (line === '!') throw new Error('php ended');
    return line === '-' ? undefined : Buffer.from(line.slice(1), 'base64').toString();
  }
}
