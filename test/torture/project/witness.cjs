const { subscribe } = require('node:diagnostics_channel');
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');

// Loaded into commands that do not tell of the processes that they have started when these end.
subscribe('child_process', ({ process: child }) => {
  const gone = () => JSON.stringify({ t: Number(process.hrtime.bigint()) / 1e6, pid: child.pid });
  child.once('exit', () => appendFileSync(join(__dirname, 'gone.ndjson'), `${gone()}\n`));
});
