/** Who is at this terminal: what `--by` stands for where it is not given. */
import { userInfo } from 'node:os';

/** The login name; undefined where the system has none (containers may not). */
export function personOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env['USER'] || env['LOGNAME'] || loginName();
}

function loginName(): string | undefined {
  try {
    return userInfo().username || undefined;
  } catch {
    return undefined;
  }
}
