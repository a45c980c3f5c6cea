const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

// Loaded into each command of a long run, so that what a process has tells what it holds, and not when it last tidied up.
setFlagsFromString('--expose-gc');
setInterval(runInNewContext('gc'), 10_000).unref();
