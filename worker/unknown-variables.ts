/** Names that nobody reads are mostly mistyped: they are told at the start, never refused. */
import { nearestWord } from '../domain/nearest.js';
import type { Environment } from './config.js';
import { VARIABLES } from './variables.js';

/** Read by commands, scripts and the embedded parts, not by the service. */
const READ_ELSEWHERE: readonly string[] = [
  'KAVACH_URL',
  'KAVACH_API_KEY',
  'KAVACH_CACHE_DIR',
  'KAVACH_LEDGER_PORT',
];
/** More changes than this is another word. */
const NEAR = 3;

/** `KAVACH_PROT is no setting: it has no effect. Did you mean KAVACH_PORT?`, one a name. */
export function unknownVariables(environment: Environment): readonly string[] {
  const known = [...Object.keys(VARIABLES.shape), ...READ_ELSEWHERE];
  return Object.keys(environment)
    .filter((name) => /^(?:AGENT)?KAVACH_/.test(name) && !known.includes(name))
    .filter((name) => !OF_THE_SDK.has(name))
    .sort()
    .map((name) => {
      const nearest = nearestWord(name, known, NEAR);
      const hint =
        nearest === undefined
          ? 'docs/guides/run.md lists the settings'
          : `did you mean ${nearest}?`;
      return `${name} is no setting and has no effect: ${hint}`;
    });
}

/** Agents on this machine have these; the service does not. */
const OF_THE_SDK: ReadonlySet<string> = new Set(['AGENTKAVACH_BACKEND_URL', 'AGENTKAVACH_API_KEY']);
