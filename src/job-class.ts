import { type CheckedSettings, checkSettings, type JobSettings } from './job-definition.js';
import { checkJobName } from './names.js';

/**
 * A class in think-queue's style: `fire(job, data)` runs the job `Name`, any other method `task1(job, data)`
 * runs `Name@task1`, and `failed(data, error)` is called when the job was given up. A new instance serves
 * each attempt. All of them are methods, not fields. Settings stand on the class as static properties.
 */
export interface JobClass extends JobSettings {
  // biome-ignore lint/suspicious/noExplicitAny: the methods of a user's class are looked up by name
  new (): any;
  /** The wire name. Where it is absent, the name under which the class was registered or exported counts. */
  readonly jobName?: string;
  /** The methods that payloads may name beside `fire`. Default: the public methods that stand in the
   * class itself; inherited ones have to be named here. */
  readonly tasks?: readonly string[];
}

/** A registered class: its wire name, checked settings, and the methods that payloads may name. */
export interface RegisteredClass {
  readonly name: string;
  readonly class: JobClass;
  readonly settings: CheckedSettings;
  readonly methods: ReadonlySet<string>;
}

/** True for a class with a `fire` method or named tasks. */
export function isJobClass(value: unknown): value is JobClass {
  if (typeof value !== 'function' || typeof value.prototype !== 'object' || value.prototype === null)
    return false;
  return typeof value.prototype.fire === 'function' || Array.isArray((value as unknown as JobClass).tasks);
}

/**
 * Checks a class for the registry.
 *
 * @param registeredAs the name to use where the class has no static `jobName`: never `class.name`, which
 * a minifier changes.
 */
export function registerClass(jobClass: JobClass, registeredAs: string): RegisteredClass {
  const name = checkJobName(jobClass.jobName ?? registeredAs);
  const fire = typeof jobClass.prototype.fire === 'function' ? ['fire'] : [];
  return {
    name,
    class: jobClass,
    settings: checkSettings(jobClass, `job ${name}`),
    methods: new Set([...fire, ...(jobClass.tasks ?? publicMethods(jobClass.prototype))]),
  };
}

/** Methods that stand in the class itself, without those that are never a job. */
function publicMethods(prototype: object): string[] {
  const names: string[] = [];
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof property.value !== 'function' || name === 'constructor' || name === 'failed') continue;
    if (!name.startsWith('_')) names.push(name);
  }
  return names;
}
