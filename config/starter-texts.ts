import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from './package-folder.js';

/**
 * The built-in config as a project can have it for its own: config/queue.ts of this package, which is
 * published beside the compiled code, importing from the package. It has no TypeScript syntax, so it serves
 * JavaScript projects as it is. Its jobs are files of one language: build output beside the sources is no second job.
 */
export async function configText(typescript: boolean): Promise<string> {
  const text = await readFile(join(packageFolder(), 'config', 'queue.ts'), 'utf8');
  return text
    .replace('{ts,mts,js,mjs}', typescript ? '{ts,mts}' : '{js,mjs}')
    .replace(/from '\.\.\/drivers\/(\w+)\/index\.js'/g, "from 'drover/drivers/$1'")
    .replace("from './define-config.js'", "from 'drover/config'");
}

/** A first job. */
export function jobText(typescript: boolean): string {
  const type = `
interface Greeting {
  readonly name: string;
  /** Asks for a failure, to see what becomes of it. */
  readonly fail?: boolean;
}
`;
  return `import { defineJob } from 'drover';
${typescript ? type : ''}
// The name is stored with every job, so keep it when you rename the file or the constant.
export const hello = defineJob${typescript ? '<Greeting | null>' : ''}({
  name: 'hello',
  handle({ data }) {
    // A job that throws runs again later. After its last try it waits among the failed jobs.
    const name = data?.name ?? 'stranger';
    if (data?.fail) throw new Error(\`\${name} asked for a failure\`);
    console.log(\`Hello, \${name}!\`);
  },
});
`;
}
