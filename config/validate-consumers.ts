import { keyPath, kindOf, type Problem } from './problem.js';

/** What is wrong with `consumers`, whether the folders are there left aside. */
export function consumersProblems(consumers: unknown, parent: string): Problem[] {
  if (consumers === undefined) return [];
  const path = keyPath(parent, 'consumers');
  const fix = "Write './app/queue/redis', or a list of folders.";
  const folders: readonly unknown[] = Array.isArray(consumers) ? consumers : [consumers];
  return folders.flatMap((folder) => {
    if (typeof folder !== 'string') return [{ path, what: `is ${kindOf(folder)}, not a folder`, fix }];
    return folder.trim() === '' ? [{ path, what: 'is an empty name', fix }] : [];
  });
}
