/** Log files of the embedded processes: kept small, and quoted where something fails. */
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';

const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** Before a start: a file past 10 MB becomes `<file>.1`, replacing the one before it. */
export function boundLog(file: string): void {
  if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
}

/** The last lines of a log, for an error; empty when there are none. */
export function lastLines(file: string, count = 5): string {
  if (!existsSync(file)) return '';
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines
    .slice(-count)
    .map((line) => `\n  ${line.slice(0, 400)}`)
    .join('');
}
