import { collectDefaultMetrics, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { queueMetrics } from '../../config/telemetry/metrics.js';
import { memory } from '../../drivers/memory/index.js';
import { createQueue, defineJob, type JobContext } from '../../src/index.js';
import { deferred } from '../support/deferred.js';
import { faulty, storeAway } from '../support/faulty-driver.js';
import { manualClock } from '../support/manual-clock.js';
import { Scrape } from '../support/prometheus.js';
import { workOff } from '../support/recorder.js';

function setUp(handle: (context: JobContext<unknown>) => unknown = () => {}) {
  const clock = manualClock();
  const driver = faulty(memory({ clock }));
  const job = defineJob({ name: 'job', handle, tries: 1 });
  const queue = createQueue({ default: 'main', connections: { main: driver }, jobs: [job], clock });
  const metrics = queueMetrics(queue, { timeout: '50ms' });
  const scrape = async () => new Scrape(await metrics.register.metrics());
  return { clock, driver, job, queue, metrics, scrape };
}

const place = { connection: 'main', queue: 'default' };
const ofJob = { ...place, job: 'job' };

test('counts how attempts end, and how long they run and waited', async () => {
  const { queue, job, scrape, clock } = setUp(({ data }) => {
    if (data === 'bad') throw new Error('boom');
  });
  await queue.bulk(job, ['good', 'good', 'bad']);
  clock.advance(2000);
  await workOff(queue);
  const told = await scrape();
  expect(told.value('drover_job_attempts_total', { ...ofJob, outcome: 'done' })).toBe(2);
  expect(told.value('drover_job_attempts_total', { ...ofJob, outcome: 'failed' })).toBe(1);
  expect(told.value('drover_job_duration_seconds_count', ofJob)).toBe(3);
  const waited = (le: string) => told.value('drover_job_wait_seconds_bucket', { ...ofJob, le });
  expect(['1', '2.5', '+Inf'].map(waited)).toEqual([0, 3, 3]);
  expect(told.value('drover_job_wait_seconds_sum', ofJob)).toBe(6);
  expect(told.value('drover_jobs_running', place)).toBe(0);
  expect(told.value('drover_last_done_timestamp_seconds', place)).toBeGreaterThan(1e9);
});

test('counts the jobs that this process stored, by name', async () => {
  const { queue, job, scrape } = setUp();
  await queue.push(job, null, { id: 'one' });
  await queue.push(job, null, { id: 'one' }); // there already
  await queue.bulk(job, [1, 2]);
  await queue.pushMany([
    [job, 3, { queue: 'other' }],
    ['elsewhere', 4],
  ]);
  const told = await scrape();
  expect(told.value('drover_jobs_pushed_total', ofJob)).toBe(3);
  expect(told.value('drover_jobs_pushed_total', { ...ofJob, queue: 'other' })).toBe(1);
  expect(told.value('drover_jobs_pushed_total', { ...place, job: '(unknown)' })).toBe(1);
});

test('tells of running jobs, and reads jobs and workers from the store', async () => {
  const go = deferred();
  const { queue, job, scrape } = setUp(() => go.promise);
  await queue.bulk(job, [1, 2]);
  await queue.later('1h', job, 3);
  const started = new Promise((resolve) => queue.events.on('job:started', resolve));
  const run = workOff(queue);
  await started;
  await expect.poll(async () => (await queue.workers()).length).toBe(1); // its first beat comes after its first job
  const told = await scrape();
  expect(told.value('drover_jobs_running', place)).toBe(1);
  const states = ['ready', 'delayed', 'reserved'];
  const sizes = states.map((state) => told.value('drover_queue_jobs', { ...place, state }) ?? Number.NaN);
  expect(sizes[1]).toBe(1);
  expect((sizes[0] ?? 0) + (sizes[2] ?? 0)).toBe(2); // the second may be held already
  const workers = told.samples('drover_workers', { connection: 'main' });
  expect(workers.map(({ labels }) => labels.state)).toEqual([
    'working',
    'idle',
    'paused',
    'stopping',
    'gone',
  ]);
  expect(workers.reduce((sum, { value }) => sum + value, 0)).toBe(1); // as it said of itself with its last beat
  expect(told.value('drover_store_up', { connection: 'main' })).toBe(1);
  go.resolve();
  await run;
});

test('names follow Prometheus: a base unit, _total on counters alone, a help text', async () => {
  const { scrape } = setUp();
  const { families } = await scrape();
  expect(families.map(({ name, type }) => `${type} ${name}`)).toEqual([
    'counter drover_jobs_pushed_total',
    'counter drover_job_attempts_total',
    'counter drover_job_timeouts_total',
    'histogram drover_job_duration_seconds',
    'histogram drover_job_wait_seconds',
    'gauge drover_jobs_running',
    'gauge drover_last_done_timestamp_seconds',
    'counter drover_store_errors_total',
    'gauge drover_store_up',
    'gauge drover_queue_jobs',
    'gauge drover_queue_longest_wait_seconds',
    'gauge drover_workers',
  ]);
  expect(families.filter(({ help }) => help.length < 10)).toEqual([]);
});

test('a store that hangs is waited for no longer than asked, is not asked again, and the rest is told', async () => {
  const { queue, job, driver, scrape, metrics } = setUp();
  await queue.push(job);
  await workOff(queue);
  const before = driver.faults.calls('size');
  const hang = deferred();
  driver.faults.next('size', async (call) => {
    await hang.promise;
    return call();
  });
  for (let time = 0; time < 3; time++) {
    const told = await scrape();
    expect(told.value('drover_store_up', { connection: 'main' })).toBe(0);
    expect(told.samples('drover_queue_jobs')).toEqual([]);
    expect(told.value('drover_job_attempts_total', { ...ofJob, outcome: 'done' })).toBe(1);
  }
  expect(driver.faults.calls('size')).toBe(before + 1);
  expect(await metrics.storeProblem()).toBe('did not answer within 50 ms');
  hang.resolve();
  await expect.poll(async () => (await scrape()).value('drover_store_up')).toBe(1);
  expect(await metrics.storeProblem()).toBeUndefined();
});

test('counts what the store refused to workers, and says so to probes without its text', async () => {
  const { queue, driver, scrape, metrics } = setUp();
  driver.faults.refuse('reserve', storeAway(), 2);
  await workOff(queue);
  expect((await scrape()).value('drover_store_errors_total', { connection: 'main' })).toBe(2);
  const { driver: away, metrics: unasked } = setUp();
  away.faults.refuse('size', storeAway());
  expect(await unasked.storeProblem()).toBe('refuses: E_STORE_UNAVAILABLE');
  metrics.stop();
  await workOff(queue);
});

test('labels have a bound, whatever names are pushed, and are escaped', async () => {
  const { queue, scrape } = setUp();
  const hostile = 'x"y\\z\n';
  await queue.bulk('nobody-knows', [1]);
  for (let at = 0; at < 520; at++) {
    queue.events.emit({ ...ofEvent, id: 'a', name: `unknown-${at}`, queue: 'default', event: 'job:done' });
    queue.events.emit({ ...ofEvent, id: 'a', name: 'job', queue: `${hostile}${at}`, event: 'job:done' });
  }
  const told = await scrape();
  const samples = told.samples('drover_job_attempts_total');
  expect(samples).toHaveLength(501);
  expect(told.value('drover_job_attempts_total', { job: '(unknown)' })).toBe(520);
  expect(told.value('drover_job_attempts_total', { queue: '(others)', job: '(others)' })).toBe(21);
  expect(samples.some(({ labels }) => labels.queue === `${hostile}7`)).toBe(true);
});

const ofEvent = { connection: 'main', attempts: 1, durationMs: 1 };

test('stands beside other metrics, and connections share a registry', async () => {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const job = defineJob({ name: 'job', handle: () => {} });
  const connections = { main: memory(), other: memory() };
  const queue = createQueue({ default: 'main', connections, jobs: [job] });
  queueMetrics(queue, { register });
  queueMetrics(queue.connection('other'), { register });
  await queue.push(job, null, { connection: 'other' });
  const told = new Scrape(await register.metrics());
  expect(told.value('drover_queue_jobs', { connection: 'main', state: 'ready' })).toBe(0);
  expect(told.value('drover_queue_jobs', { connection: 'other', state: 'ready' })).toBe(1);
  expect(told.value('process_resident_memory_bytes')).toBeGreaterThan(0);
});
