import { QueueError } from './errors.js';
import { shown } from './shown.js';

/**
 * Says which registered jobs a wire name may mean that is not registered as it stands: one name or several, asked
 * for in turn, with `@method` where a method is meant; undefined where none. Called with names from payloads, so it
 * must be pure: answers are kept. What it answers is looked up among the registered jobs and used for nothing else.
 */
export type NameRule = (wireName: string) => string | readonly string[] | undefined;

/** Options of {@link phpNames}. */
export interface PhpNamesOptions {
  /** Where PHP has its job classes. Default: think-queue's `app\job`; Laravel's is `App\Jobs`. */
  readonly namespace?: string;
}

const className = /^[A-Za-z_]\w*(?:\\[A-Za-z_]\w*)*$/;

/**
 * The names under which PHP knows a job: those of one class all mean the same job here, whichever of them it is
 * registered under. With the default namespace `app\job\DemoJob`, `\app\job\DemoJob`, `DemoJob` and `demo_job` are
 * one job; so are `app\shop\job\Demo` and think-queue 1's `shop/Demo`. `@fire` is what is meant without a method.
 *
 * @throws QueueError `E_CONFIG` for an option that cannot be.
 */
export function phpNames(options: PhpNamesOptions = {}): NameRule {
  const namespace = checkedNamespace(options);
  return (wireName) => {
    const [name = '', method] = wireName.split('@');
    const suffix = method === undefined || method === 'fire' ? '' : `@${method}`;
    return namesOfClass(classOf(name, namespace), namespace).map((one) => one + suffix);
  };
}

/** The class that PHP makes of a name: think-queue 3's rule for plain names, think-queue 1's for `module/Name`. */
function classOf(name: string, namespace: string): string {
  if (name.includes('\\')) return name.replace(/^\\/, '');
  const [module = '', rest] = splitAt(name, name.indexOf('/'));
  if (rest === undefined) return `${namespace}\\${studly(name)}`;
  const [root, last] = splitAt(namespace, namespace.lastIndexOf('\\'));
  const inModule = module.toLowerCase();
  return last === undefined ? `${inModule}\\${root}\\${rest}` : `${root}\\${inModule}\\${last}\\${rest}`;
}

/** A class's own name, then the short ones that PHP would make it of. */
function namesOfClass(name: string, namespace: string): string[] {
  const short = below(name, namespace);
  if (short !== undefined) return [name, short, snake(short)];
  const [root, last] = splitAt(namespace, namespace.lastIndexOf('\\'));
  const inRoot = last === undefined ? name : below(name, root ?? '', true);
  const [module, folder, own, ...deeper] = inRoot?.split('\\') ?? [];
  const isModule = folder === (last ?? root) && own !== undefined && deeper.length === 0;
  return isModule ? [name, `${module}/${own}`] : [name];
}

/** What a name is within a namespace, where it stands directly in it (or anywhere in it). */
function below(name: string, namespace: string, anywhere = false): string | undefined {
  if (!name.startsWith(`${namespace}\\`)) return undefined;
  const rest = name.slice(namespace.length + 1);
  return anywhere || !rest.includes('\\') ? rest : undefined;
}

function splitAt(text: string, index: number): [string, string?] {
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function studly(name: string): string {
  return name
    .split(/[-_]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

function snake(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, '_$&').toLowerCase();
}

function checkedNamespace(options: PhpNamesOptions): string {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`${shown(options)} is not an object of options`);
  }
  const unknown = Object.keys(options).filter((key) => key !== 'namespace');
  if (unknown.length > 0) throw invalid(`there is no option ${unknown.join(', ')}`);
  const { namespace = 'app\\job' } = options;
  const bare = typeof namespace === 'string' ? namespace.replace(/^\\|\\$/g, '') : '';
  if (!className.test(bare)) throw invalid(`namespace: ${shown(namespace)} is no namespace of PHP`);
  return bare;
}

function invalid(what: string): QueueError {
  return new QueueError('E_CONFIG', `phpNames: ${what}`, {
    fix: "Write phpNames({ namespace: 'app\\\\job' }).",
  });
}
