import type { Frame } from './frame.js';
import { marks } from './journal-entries.js';

/** The names of jobs, each written once, with the number that stands for it. */
export class Names {
  readonly #numbers = new Map<string, number>();
  #last = '';
  #lastNumber = 0;
  #written = 0;

  numberOf(name: string): number {
    if (name === this.#last) return this.#lastNumber;
    const number = this.#numbers.get(name) ?? this.#numbers.size + 1;
    this.#numbers.set(name, number);
    this.#last = name;
    this.#lastNumber = number;
    return number;
  }

  isWritten(number: number): boolean {
    return number <= this.#written;
  }

  /** Puts those that are not written. */
  putNew(frame: Frame): void {
    if (this.#written === this.#numbers.size) return;
    for (const [name, number] of this.#numbers) {
      if (number > this.#written) put(frame, name, number);
    }
    this.#written = this.#numbers.size;
  }

  putAll(frame: Frame): void {
    this.#written = 0;
    this.putNew(frame);
  }
}

function put(frame: Frame, name: string, number: number): void {
  frame.entry(marks.name, number);
  frame.text(name);
}
