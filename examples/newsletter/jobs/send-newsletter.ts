import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineJob } from 'drover';
import { createTransport } from 'nodemailer';

// Builds messages without sending them.
const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });

export interface Recipient {
  readonly email: string;
  readonly name: string;
  readonly list: string;
  /** How the recipient's mail server behaves: takes mail, refuses it twice, or refuses it always. */
  readonly mailbox: 'ok' | 'greylisted' | 'rejected';
}

export const sendNewsletter = defineJob<Recipient>({
  name: 'newsletter.send',
  queue: 'mail',
  tries: 3,
  backoff: ['200ms', '400ms'],
  timeout: '10s',

  async handle({ data, job }) {
    if (data.mailbox === 'rejected') throw new Error(`550 no such mailbox: ${data.email}`);
    if (data.mailbox === 'greylisted' && job.attempts() < 3)
      throw new Error('451 greylisted, try again later');
    const { message } = await transport.sendMail({
      from: 'Drover News <news@example.com>',
      to: { name: data.name, address: data.email },
      subject: `News from the ${data.list} team`,
      text: `Dear ${data.name},\n\nthis is what is new in ${data.list}.\n\nYours, the ${data.list} team\n`,
      messageId: `<${job.id}@example.com>`,
    });
    // Named by the job, so that a second delivery of the same job writes the same file again.
    await writeFile(join('outbox', `${job.id}.eml`), message);
  },

  failed({ data, error }) {
    process.stderr.write(`gave up on ${data.email}: ${error instanceof Error ? error.message : error}\n`);
  },
});
