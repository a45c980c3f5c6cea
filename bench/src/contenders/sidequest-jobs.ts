import { type Handle, importPeer, type JobData } from '../contender.js';

const { Job } = await importPeer<{ readonly Job: new () => object }>('sidequest');

/** The job of Sidequest, which imports this file itself. */
export class Bench extends Job {
  static handle: Handle = () => {};

  async run(data: JobData): Promise<void> {
    await Bench.handle(data);
  }
}
