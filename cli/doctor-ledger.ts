/** The ledger as the doctor sees it: reached, migrated, on time, open to its keys, kept up with. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { backlog, databaseNow, migrationState, reach } from '../ledger/inspect.js';
import { neededKeys, sealedSamples } from '../ledger/reseal.js';
import { unseal, type SealKeys } from '../ledger/seal.js';
import type { Config } from '../worker/config.js';
import { causeOf, fail, notLookedAt, ok, warn, type Check, type Found } from './doctor-check.js';
import { dataDirOf, openOperatedLedger, operatedSealKeys } from './ledger-access.js';
import type { Environment, OpenedLedger } from './ledger-access.js';
import { readKeyFile } from './key-files.js';

const SKEW_MS = 2_000;
const LAG_MS = 30_000;
/** An embedded ledger is started for the look where it does not run. */
const STARTED_WITHIN_MS = 60_000;

export interface LedgerLook {
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

export function lookAtLedger(env: Environment, config: Config | undefined): LedgerLook {
  const isMissing = !env['DATABASE_URL'] && !existsSync(join(dataDirOf(env), 'ledger'));
  let opening: Promise<OpenedLedger> | undefined;
  const open = (): Promise<OpenedLedger> => (opening ??= openOperatedLedger(env));
  let isMigrated: Promise<boolean> | undefined;
  const migrated = (): Promise<boolean> =>
    (isMigrated ??= open().then(
      async ({ db }) => (await migrationState(db)).missing.length === 0,
      () => false,
    ));
  /** What needs the tables says only that it could not look where another check says why. */
  const onTables = async (look: (ledger: OpenedLedger) => Promise<Found>): Promise<Found> => {
    if (isMissing || !(await migrated())) return notLookedAt('ledger');
    return look(await open());
  };
  const next = 'is the database there, and are its address and rights right?';
  const bound = env['DATABASE_URL'] ? {} : { withinMs: STARTED_WITHIN_MS };
  const check = (name: string, look: (ledger: OpenedLedger) => Promise<Found>): Check => ({
    ...{ name, next, ...bound },
    look: () => onTables(look),
  });
  const checks: Check[] = [
    {
      ...{ name: 'ledger', next, ...bound },
      look: () => (isMissing ? warn('none yet', '`kavach up` makes one') : open().then(migrations)),
    },
    check('clock', clock),
    check('sealing keys', (ledger) => sealing(ledger, env)),
    check('relay', relay),
    check('destinations', (ledger) => destinations(ledger)),
    check('operators', operators),
    check('email domains', (ledger) => emailDomains(ledger, config)),
  ];
  const close = async (): Promise<void> => {
    await (await opening?.catch(() => undefined))?.close();
  };
  return { checks, close };
}

async function migrations({ db, embedded, databaseUrl }: OpenedLedger): Promise<Found> {
  const { applied, missing, unknown } = await migrationState(db);
  const what = `${embedded ? 'embedded' : 'Postgres'} at ${new URL(databaseUrl).host}`;
  if (missing.length > 0) {
    const seen = `${what}: not migrated (${missing.join(', ')} missing)`;
    return fail(seen, 'start the service of this version: it migrates');
  }
  if (unknown.length > 0) {
    const seen = `${what}: has ${unknown.join(', ')}, which this version does not know`;
    return fail(seen, 'run the later version that made it');
  }
  return ok(`${what}, ${String(applied)} migrations`);
}

async function clock({ db }: OpenedLedger): Promise<Found> {
  const before = Date.now();
  const there = await databaseNow(db);
  const after = Date.now();
  // Of the answer's way nobody knows which part was which.
  const skew = Math.max(before - there, there - after, 0);
  const seen = `${String(skew)} ms between the ledger and this machine`;
  return skew > SKEW_MS
    ? warn(seen, 'let both keep time by NTP: periods end by the clock')
    : ok(seen);
}

async function sealing({ db }: OpenedLedger, env: Environment): Promise<Found> {
  const needed = await neededKeys(db);
  const count = Object.values(needed).reduce((sum, each) => sum + each, 0);
  if (count === 0) return ok('nothing is sealed yet');
  const ids = Object.keys(needed).join(', ');
  const keys = keysOf(env);
  if (keys === undefined) {
    const next = 'put them into KAVACH_SEAL_KEYS, from where they are kept: new ones open nothing';
    return fail(`there is no key here, and this ledger needs ${ids}`, next);
  }
  const closed: string[] = [];
  for (const { sealed, belongsTo } of await sealedSamples(db)) {
    try {
      unseal(keys, sealed, belongsTo);
    } catch (error) {
      closed.push(causeOf(error));
    }
  }
  if (closed.length > 0) {
    const next = 'put the old key back into KAVACH_SEAL_KEYS, after the new one';
    return fail(closed.join(' '), next);
  }
  const [{ id }] = keys;
  const { [id]: current = 0, ...old } = needed;
  const seen = `${String(current)} sealed with ${id}`;
  const others = Object.entries(old).map(([each, many]) => `${String(many)} with ${each}`);
  if (others.length === 0) return ok(seen);
  return warn(
    `${seen}, ${others.join(', ')}`,
    '`kavach reseal` seals them anew, then old keys can go',
  );
}

/** Undefined where there are none; what cannot be read is told as it is. */
function keysOf(env: Environment): SealKeys | undefined {
  const isGiven = env['KAVACH_SEAL_KEYS'] || readKeyFile(join(dataDirOf(env), 'seal-keys'));
  return isGiven ? operatedSealKeys(env) : undefined;
}

async function relay({ db }: OpenedLedger): Promise<Found> {
  const { due, oldestMs, parked, parkedReason, unstarted } = await backlog(db, Date.now());
  const seen = `${String(due)} periods due, the oldest for ${String(Math.round(oldestMs / 1_000))} s`;
  if (parked > 0) {
    const why = parkedReason === undefined ? '' : ` (${parkedReason.slice(0, 120)})`;
    const next = 'read the log; nobody watches the thresholds of a parked period';
    return fail(`${seen}; ${String(parked)} parked${why}`, next);
  }
  if (unstarted > 0) {
    return warn(
      `${seen}; ${String(unstarted)} alerts could not be started yet`,
      'is Temporal there?',
    );
  }
  return oldestMs > LAG_MS ? warn(seen, 'is a relay running, and Temporal there?') : ok(seen);
}

async function destinations({ db }: OpenedLedger): Promise<Found> {
  const { defaults, health } = await reach(db);
  const seen = `defaults for ${defaults.length === 0 ? 'no channel' : defaults.join(', ')}`;
  const bad = ['gone', 'failing'].filter((each) => health[each] !== undefined);
  if (bad.length > 0) {
    const words = bad.map((each) => `${String(health[each])} ${each}`).join(', ');
    return warn(
      `${seen}; ${words}`,
      'give their agents another address, or mend what answers there',
    );
  }
  if (defaults.length > 0) return ok(seen);
  return warn(
    seen,
    'set AGENTKAVACH_SLACK_WEBHOOK_URL or another one, for entries without a target',
  );
}

async function operators({ db }: OpenedLedger): Promise<Found> {
  const { organisations, operated } = await reach(db);
  if (operated > 0 && operated >= organisations) return ok('can be told');
  const seen =
    operated === 0
      ? 'nobody is told where an alert reaches nobody else'
      : `${String(organisations - operated)} organisations have none`;
  return warn(seen, 'set KAVACH_OPERATORS_SLACK_WEBHOOK_URL, …_EMAIL or another one');
}

async function emailDomains({ db }: OpenedLedger, config: Config | undefined): Promise<Found> {
  const { emailDomains: domains, unverified } = await reach(db);
  const named = domains.length === 0 ? 'none' : domains.join(', ');
  const isSent = config?.channels.email !== undefined;
  if (unverified > 0) {
    const seen = `${named}; ${String(unverified)} email targets wait for an operator's word`;
    return warn(seen, 'name their domains in KAVACH_EMAIL_DOMAINS, or confirm them');
  }
  if (domains.length > 0 || !isSent) return ok(named);
  return warn(named, 'name in KAVACH_EMAIL_DOMAINS the domains that agents may send to');
}
