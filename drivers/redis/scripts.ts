import type { Dialect } from './dialect.js';
import { failScript, retryScript } from './failed-scripts.js';
import { pushAgainScript, pushScript } from './push-scripts.js';
import {
  clearScript,
  deleteScript,
  extendScript,
  postponeScript,
  releaseScript,
  releaseThrownScript,
  sizeScript,
  unreserveScript,
} from './queue-scripts.js';
import { reserveScript, rouseScript, unwatchScript } from './reserve-script.js';
import { type Script, scriptsIn } from './script.js';

/** The scripts that read or write members, in one dialect. */
export interface Scripts {
  readonly push: Script;
  readonly pushAgain: Script;
  readonly reserve: Script;
  readonly rouse: Script;
  readonly unwatch: Script;
  readonly extend: Script;
  readonly delete: Script;
  readonly release: Script;
  readonly postpone: Script;
  /** Absent where members have no place for the count. */
  readonly releaseThrown?: Script;
  readonly unreserve: Script;
  readonly size: Script;
  readonly clear: Script;
  readonly fail: Script;
  readonly retry: Script;
}

/** Made once for a wire: each is some kilobytes of text and a hash of them. */
export function makeScripts(dialect: Dialect): Scripts {
  const script = scriptsIn(dialect);
  return {
    push: pushScript(script),
    pushAgain: pushAgainScript(script),
    reserve: reserveScript(script, dialect),
    rouse: rouseScript(script),
    unwatch: unwatchScript(script),
    extend: extendScript(script, dialect),
    delete: deleteScript(script),
    release: releaseScript(script, dialect),
    postpone: postponeScript(script, dialect),
    ...(dialect.thrown !== undefined && {
      releaseThrown: releaseThrownScript(script, dialect, dialect.thrown),
    }),
    unreserve: unreserveScript(script, dialect),
    size: sizeScript(script),
    clear: clearScript(script),
    fail: failScript(script, dialect),
    retry: retryScript(script),
  };
}
