/** Workers that run on connections of one config: they end before those are closed. */
export class RunningWorkers {
  readonly #stops = new Map<Promise<unknown>, () => void>();
  #areEnding = false;

  /**
   * Notes a run until it is over.
   *
   * @param stop has it take no more jobs, and let those that run end in the time that it gives them.
   */
  add(run: Promise<unknown>, stop: () => void): void {
    this.#stops.set(run, stop);
    const isOver = (): void => void this.#stops.delete(run);
    run.then(isOver, isOver);
    if (this.#areEnding) stop();
  }

  get isEmpty(): boolean {
    return this.#stops.size === 0;
  }

  /** Stops all of them and waits for their ends. What a run rejects with is told to whoever started it. */
  async end(): Promise<void> {
    this.#areEnding = true;
    for (const stop of this.#stops.values()) stop();
    // One that comes too late is stopped at once, and has an end too.
    while (!this.isEmpty) await Promise.allSettled(this.#stops.keys());
  }
}
