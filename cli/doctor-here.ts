/** What can be seen without asking anybody: this machine, the data folder, the configuration. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createGuard } from '../channels/address-guard.js';
import { refuseTarget } from '../channels/target.js';
import { createPricer } from '../gateway/price.js';
import { parseCodecKeys } from '../worker/codec.js';
import { ConfigError, loadConfig, type Config } from '../worker/config.js';
import { unknownVariables } from '../worker/unknown-variables.js';
import { KEY_FILES } from './backup-file.js';
import { fail, ok, warn, type Check, type Found } from './doctor-check.js';
import { dataDirOf, type Environment } from './ledger-access.js';
import { withNeededKey } from './sealed-already.js';

const LOW_BYTES = 1e9;
const FULL_BYTES = 1e8;

/** The configuration is undefined where it has faults; its own check tells them. */
export function hereChecks(env: Environment, config: Config | undefined): Check[] {
  const checks: Check[] = [
    { name: 'node', look: () => nodeVersion(process.versions.node), next: 'install Node 20.19' },
    { name: 'configuration', look: () => configuration(env), next: 'see docs/guides/run.md' },
    { name: 'variables', look: () => variables(env), next: 'see docs/guides/run.md' },
    {
      name: 'data folder',
      look: () => dataFolder(dataDirOf(env)),
      next: 'name another one with KAVACH_DATA_DIR',
    },
    { name: 'prices', look: prices, next: 'install the packages again: npm ci' },
  ];
  if (config === undefined) return checks;
  return [
    ...checks,
    { name: 'channels', look: () => channels(config, env), next: 'see docs/guides/channels.md' },
    {
      name: 'codec',
      look: () => codec(config),
      next: 'see KAVACH_CODEC_KEYS in docs/guides/run.md',
    },
  ];
}

/** Undefined where it has faults. */
export function configOf(env: Environment): Config | undefined {
  try {
    return loadConfig(env);
  } catch {
    return undefined;
  }
}

export function nodeVersion(version: string): Found {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isFit = major > 20 || (major === 20 && minor >= 19);
  return isFit ? ok(version) : fail(version, 'install Node 20.19 or newer');
}

async function configuration(env: Environment): Promise<Found> {
  try {
    loadConfig(env);
    return ok('every variable can be read');
  } catch (fault) {
    const error = await withNeededKey(fault, env);
    if (!(error instanceof ConfigError)) throw error;
    return fail(error.faults.join('; '), 'mend the variables; docs/guides/run.md lists them');
  }
}

function variables(env: Environment): Found {
  const unknown = unknownVariables(env);
  if (unknown.length === 0) return ok('none that nobody reads');
  return warn(unknown.join('; '), 'rename or remove them');
}

async function dataFolder(dataDir: string): Promise<Found> {
  const folder = resolve(dataDir);
  if (!existsSync(folder)) {
    accessSync(nearest(folder), constants.W_OK);
    return ok(`${dataDir} is not there yet; the first start makes it`);
  }
  accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  const open = [dataDir, ...KEY_FILES.map((name) => join(dataDir, name))].filter(
    (path) => existsSync(path) && (statSync(path).mode & 0o077) !== 0,
  );
  if (open.length > 0) {
    const next = `take the others' rights away: chmod go-rwx ${open.join(' ')}`;
    // What is in the folder is closed by itself; a key is a key.
    const state = open.some((path) => path !== dataDir) ? 'fail' : 'warn';
    return { state, seen: `others may read ${open.join(', ')}`, next };
  }
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const seen = `${dataDir}, ${(free / 1e9).toFixed(1)} GB free`;
  if (free < FULL_BYTES) return fail(seen, 'make room: the next write may fail');
  return free < LOW_BYTES ? warn(seen, 'make room; KAVACH_RETENTION keeps less') : ok(seen);
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(dirname(folder));
}

function prices(): Found {
  const pricer = createPricer();
  const call = { provider: 'openai', model: 'gpt-4o', inputTokens: 1_000, outputTokens: 1_000 };
  const { unpriced } = pricer.price({ ...call, costReported: 0, at: Date.now() });
  if (unpriced) return fail(`${pricer.version} does not know gpt-4o`, 'install it again: npm ci');
  return ok(pricer.version);
}

/** Their form only: nothing is sent. */
function channels(config: Config, env: Environment): Found {
  const { email, sms } = config.channels;
  const named = [
    'slack',
    'webhook',
    'pagerduty',
    ...(email === undefined ? [] : [email.smtp === undefined ? 'email (Resend)' : 'email (SMTP)']),
    ...(sms === undefined ? [] : ['sms']),
  ];
  const faults: string[] = [];
  const resend = env['RESEND_API_KEY'];
  if (resend && !resend.startsWith('re_')) faults.push('RESEND_API_KEY does not begin with re_');
  const token = env['TWILIO_AUTH_TOKEN'];
  if (token && !/^[0-9a-f]{32}$/i.test(token)) {
    faults.push('TWILIO_AUTH_TOKEN is not 32 hexadecimal digits');
  }
  const guard = createGuard({ allow: config.allowTargets });
  for (const { channel, address } of [...config.destinations, ...(config.operators ?? [])]) {
    const reason = refuseTarget(guard, channel, address);
    if (reason !== undefined) faults.push(`a ${channel} address gets nothing: ${reason}`);
  }
  const { host } = config.gateway;
  const isHere = config.gateway.publicUrl === undefined && /^(127\.|localhost$|::1$)/.test(host);
  if (isHere && (config.destinations.length > 0 || email !== undefined)) {
    faults.push('links in messages lead to this machine only (KAVACH_PUBLIC_URL is not set)');
  }
  const seen = named.join(', ');
  if (faults.length === 0) return ok(seen);
  return warn(
    `${seen}; ${faults.join('; ')}`,
    '`kavach test-channel <channel>` sends a test message',
  );
}

function codec({ codec: given }: Config): Found {
  if (given === undefined)
    return ok('none: Temporal stores payloads as they are, without addresses');
  const [first, ...others] = parseCodecKeys(given.keys).map(({ id }) => id);
  return ok(
    `seals with ${String(first)}${others.length > 0 ? `, opens ${others.join(', ')}` : ''}`,
  );
}
