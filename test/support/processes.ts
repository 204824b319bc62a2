/** Which processes of this machine belong to a folder (Linux: reads /proc). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Command lines of living processes that run in the folder or name it, without this one. */
export function processesOf(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || entry === String(process.pid)) continue;
    const command = tryRead(() => readFileSync(`/proc/${entry}/cmdline`, 'utf8'));
    const cwd = tryRead(() => readlinkSync(`/proc/${entry}/cwd`));
    // A zombie has no command line any more.
    if (command === '' || !(command.includes(folder) || cwd.startsWith(folder))) continue;
    found.push(`${entry} ${command.replaceAll('\0', ' ').slice(0, 120)}`);
  }
  return found;
}

function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
