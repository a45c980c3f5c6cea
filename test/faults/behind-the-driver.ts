import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import type { CliProject } from '../support/cli.js';

/**
 * Puts payloads into the queue `default` of a project as other programs may: nothing looks at them on their way.
 *
 * @param redisUrl of its Redis server; without one it is on SQLite.
 */
export async function putRaw(
  project: CliProject,
  redisUrl: string | undefined,
  payloads: readonly string[],
): Promise<void> {
  if (redisUrl !== undefined) {
    const client = new Redis(redisUrl);
    await client.rpush('{queues:default}', ...payloads);
    await client.quit();
    return;
  }
  // Not due until it is as it shall be: workers look on.
  const ids = await (await project.queue()).bulk('counts', Array(payloads.length).fill(null), {
    delay: '1h',
  });
  const db = new Database(project.path('queue.sqlite'));
  const change = db.prepare('UPDATE jobs SET payload = ?, available_at = created_at WHERE job_id = ?');
  db.transaction(() => ids.forEach((id, at) => void change.run(payloads[at], id)))();
  db.close();
}

/** How long the file is locked at a time, and how long it is free in between. */
const [lockedMs, freeMs] = [250, 50];

/** Keeps the file of a project locked most of the time, so that all who write to it wait. */
export async function slowDown(project: CliProject, signal: AbortSignal): Promise<void> {
  const db = new Database(project.path('queue.sqlite'));
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  while (!signal.aborted) {
    db.exec('BEGIN IMMEDIATE');
    await pause(lockedMs);
    db.exec('COMMIT');
    await pause(freeMs);
  }
  db.close();
}
