/**
 * The configuration of a process of a set: nothing is embedded there, so what processes share must
 * be named. What is missing is told together with every other fault.
 */
import { ConfigError, loadConfig, type Config, type Environment } from '../../worker/config.js';
import type { Role } from '../service.js';

interface Need {
  readonly variable: string;
  /** What to put there, and why. */
  readonly expected: string;
  /** Absent: of all. */
  readonly of?: readonly Role[];
}

export const NEEDS: readonly Need[] = [
  {
    variable: 'DATABASE_URL',
    expected: 'the Postgres that all processes share, as postgres://user:password@host:5432/kavach',
  },
  {
    variable: 'TEMPORAL_ADDRESS',
    expected: 'the Temporal server that all processes share, as host:7233',
  },
  {
    variable: 'KAVACH_SEAL_KEYS',
    expected: 'the keys that all processes share; make one with `kavach seal-key`',
  },
  {
    variable: 'KAVACH_LINK_KEY',
    expected:
      'at least 32 random characters, the same for all: workers sign links, gateways open them',
    of: ['gateway', 'worker'],
  },
  {
    variable: 'KAVACH_PUBLIC_URL',
    expected: 'where people reach a gateway: links in messages begin with it',
    of: ['gateway', 'worker'],
  },
];

/** Throws a ConfigError with every fault there is, and all that is missing. */
export function loadProcessConfig(env: Environment, roles: readonly Role[]): Config {
  const missing = NEEDS.filter(
    ({ variable, of }) =>
      (env[variable] ?? '').trim() === '' &&
      (of === undefined || of.some((role) => roles.includes(role))),
  );
  const faults = missing.map(
    ({ variable, expected }) => `${variable} is not set: expected ${expected}`,
  );
  let config: Config | undefined;
  try {
    config = loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const isTold = (fault: string): boolean =>
      missing.some(({ variable }) => fault.startsWith(`${variable} is not set`));
    faults.push(...error.faults.filter((fault) => !isTold(fault)));
  }
  if (config === undefined || faults.length > 0) throw new ConfigError(faults);
  return config;
}
