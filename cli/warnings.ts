/** What an answer adds that somebody should read: the command was carried out all the same. */
import type { Output } from './output.js';

export function sayWarnings(output: Output, warnings: readonly string[] = []): void {
  for (const warning of warnings) output.line(`${output.paint('warning', 'Note:')} ${warning}`);
}
