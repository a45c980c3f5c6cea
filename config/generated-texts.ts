/** The file of a new job. */
export function newJobText(name: string, typescript: boolean): string {
  const type = `
interface ${pascal(name)}Data {
  readonly id: number;
}
`;
  return `import { defineJob } from 'drover';
${typescript ? type : ''}
// The name is stored with every job, so keep it when you rename the file or the constant.
export const ${camel(name)} = defineJob${typescript ? `<${pascal(name)}Data>` : ''}({
  name: '${name}',
  handle({ data, log }) {
    // A job that throws runs again later. After its last try it waits among the failed jobs.
    log.info({ data }, '${name}');
  },
});
`;
}

/** The file of a new consumer. */
export function consumerText(name: string, typescript: boolean): string {
  const [type, clause, parameter] = typescript
    ? ["import type { Consumer } from 'drover/config';\n\n", ' implements Consumer', 'data: unknown']
    : ['', '', 'data'];
  return `${type}export default class ${pascal(name)}${clause} {
  // The queue to consume. Push to it by its name: queue.push('${name}', data).
  queue = '${name}';

  // A connection of the config other than its default.
  // connection = 'other';

  async consume(${parameter}) {
    // One that throws is tried again later. After its last attempt the package waits among the failed ones.
    console.log(data);
  }
}
`;
}

function pascal(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}

function camel(name: string): string {
  const joined = pascal(name);
  const plain = joined.slice(0, 1).toLowerCase() + joined.slice(1);
  return reserved.has(plain) ? `${plain}Job` : plain;
}

/** Words that no constant can be called. */
const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected ' +
    'public return static super switch this throw true try typeof var void while with yield'
  ).split(' '),
);
