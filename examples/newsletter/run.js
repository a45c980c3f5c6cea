// Sends a newsletter: reads recipients from a CSV file, pushes one job each, works them in a real worker
// process, looks at what failed, retries it, and sums up. Run it with `npm run example`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import cliProgress from 'cli-progress';
import Table from 'cli-table3';
import { parse } from 'csv-parse';
import { openQueue } from 'drover/config';

const drover = fileURLToPath(new URL('../../dist/cli/bin.cjs', import.meta.url));
process.chdir(fileURLToPath(new URL('.', import.meta.url)));
await startAfresh();

const queue = await openQueue();
const pushed = await pushAll('recipients.csv');
console.log(`pushed ${pushed} jobs; they wait in newsletter.sqlite\n`);

const first = await work(pushed);
console.log('\n$ drover queue:failed --queue mail --limit 5');
await command('queue:failed', '--queue', 'mail', '--limit', '5');

console.log('\n$ drover queue:retry all');
await command('queue:retry', 'all');
const second = await work((await queue.size('mail')).ready);

await report();
await queue.close();

async function startAfresh() {
  await rm('outbox', { recursive: true, force: true });
  for (const suffix of ['', '-wal', '-shm']) await rm(`newsletter.sqlite${suffix}`, { force: true });
  await mkdir('outbox');
}

/** Pushes a job for each line of the file, in batches, without holding the file in memory. */
async function pushAll(file) {
  const recipients = createReadStream(file).pipe(parse({ columns: true, bom: true }));
  let batch = [];
  let count = 0;
  const flush = async () => {
    count += (await queue.pushMany(batch)).length;
    batch = [];
  };
  for await (const { send_after, ...recipient } of recipients) {
    batch.push(['newsletter.send', recipient, send_after ? { delay: send_after } : {}]);
    if (batch.length === 500) await flush();
  }
  await flush();
  return count;
}

/** Runs `drover queue:work` until the queue is empty and follows its events. */
async function work(expected) {
  const args = ['queue:work', '--queue', 'mail', '--stop-when-empty', '--concurrency', '20', '--json'];
  console.log(`$ drover ${args.join(' ')}`);
  const worker = spawn(process.execPath, [drover, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(worker, 'exit');
  worker.stderr.resume(); // the hook's lines; the failed jobs are listed below anyway
  const counts = { done: 0, released: 0, failed: 0 };
  const bar = new cliProgress.SingleBar(
    { format: '{bar} {value}/{total}  done {done}  retried {released}  failed {failed}', noTTYOutput: false },
    cliProgress.Presets.shades_classic,
  );
  if (process.stdout.isTTY) bar.start(expected, 0, counts);
  let firstMs;
  let lastMs;
  for await (const line of createInterface({ input: worker.stdout })) {
    const { event } = JSON.parse(line);
    const what = event.replace('job:', '');
    if (event === 'job:started') firstMs ??= performance.now();
    if (!(what in counts)) continue;
    counts[what] += 1;
    lastMs = performance.now();
    bar.update(counts.done + counts.failed, counts);
  }
  bar.stop();
  const [code] = await exited;
  if (!process.stdout.isTTY)
    console.log(`done ${counts.done}, retried ${counts.released}, failed ${counts.failed}`);
  if (code !== 0) throw new Error(`the worker ended with exit code ${code}`);
  return { ...counts, seconds: firstMs === undefined ? 0 : (lastMs - firstMs) / 1000 };
}

async function command(...args) {
  const child = spawn(process.execPath, [drover, ...args], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`drover ${args[0]} ended with exit code ${code}`);
}

async function report() {
  const failed = await queue.failed.list({ limit: 10_000 });
  const done = first.done + second.done;
  const ended = first.done + first.failed + second.done + second.failed;
  const written = (await readdir('outbox')).length;
  const table = new Table({ style: { head: [], border: [] } });
  table.push(
    { pushed },
    { done },
    { 'retried after a failed attempt': first.released + second.released },
    { 'failed for good': failed.length },
    { 'messages in outbox/': written },
    { 'jobs/s': Math.round(ended / (first.seconds + second.seconds)) },
  );
  console.log(`\n${table.toString()}`);
  if (done + failed.length !== pushed || written !== done) throw new Error('the sums do not match');
}
