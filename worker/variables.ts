/**
 * Every variable of the environment that the service reads: its meaning, its default and what it
 * must look like. A message says what was expected; config.ts adds the name and what was given.
 * An empty variable counts as unset.
 */
import { z } from 'zod';
import { parseSealKeys } from '../ledger/seal.js';

/** A text that `read` understands; `read` answers undefined for anything else. */
function parsed<T>(expected: string, read: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

function whole(what: string, min: number, max: number) {
  const range = `${String(min)} to ${String(max)}`;
  return parsed(`${what}, ${range}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

function httpUrl(what: string, trim: boolean) {
  return parsed(`${what}, as http://host or https://host`, (text) => {
    if (!URL.canParse(text)) return undefined;
    const { protocol } = new URL(text);
    if (protocol !== 'http:' && protocol !== 'https:') return undefined;
    return trim ? text.replace(/\/+$/, '') : text;
  });
}

function oneOf<const Words extends readonly string[]>(words: Words) {
  return parsed(`one of ${words.join(', ')}`, (text): Words[number] | undefined =>
    words.find((word) => word === text),
  );
}

const EMAIL = /^[^\s@<>]+@[^\s@<>]+$/;
const SENDER = /^(?:[^\s@<>]+@[^\s@<>]+|[^<>\r\n]+<[^\s@<>]+@[^\s@<>]+>)$/;
const WEEK_MS = 604_800_000;

/** The ledger's own reader decides; its error repeats nothing of the text. */
function readSealKeys(text: string): string | undefined {
  try {
    parseSealKeys(text);
    return text;
  } catch {
    return undefined;
  }
}

function readLadder(text: string): number[] | undefined {
  const waits = text.split(',').map((wait) => wait.trim());
  const areWhole = waits.every((wait) => /^\d{1,9}$/.test(wait) && Number(wait) <= WEEK_MS);
  return areWhole && waits.length <= 10 ? waits.map(Number) : undefined;
}

function readZone(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

export const VARIABLES = z.object({
  /** Folder of the embedded ledger and Temporal server, the key files and the caches. */
  KAVACH_DATA_DIR: z.string().default('.kavach'),
  /** Interface the gateway listens on. */
  KAVACH_HOST: parsed('a host name or an address', (text) =>
    /^[\w.:-]+$/.test(text) ? text : undefined,
  ).default('127.0.0.1'),
  /** Port of the gateway; 0 takes a free one. */
  KAVACH_PORT: whole('a port', 0, 65_535).default(8787),
  /** What links in messages begin with; unset: the gateway's own address. */
  KAVACH_PUBLIC_URL: httpUrl('the address people reach Kavach at', true).optional(),

  /** A Postgres; unset: the embedded ledger in the data folder. */
  DATABASE_URL: parsed('postgres://user:password@host:port/database', (text) =>
    URL.canParse(text) && /^postgres(?:ql)?:$/.test(new URL(text).protocol) ? text : undefined,
  ).optional(),
  /** Keys that seal addresses and credentials; the first seals, all open. */
  KAVACH_SEAL_KEYS: parsed(
    'id:key,… with keys of 32 bytes in base64 (`kavach seal-key` makes one)',
    readSealKeys,
  ).optional(),

  /** A Temporal cluster; unset: the embedded server. Its companions (TEMPORAL_NAMESPACE,
   *  TEMPORAL_API_KEY, TEMPORAL_TLS…, TEMPORAL_PROFILE) are read by Temporal's own library. */
  TEMPORAL_ADDRESS: parsed('host:port', (text) =>
    /^\S+$/.test(text) ? text : undefined,
  ).optional(),
  /** Ports of the embedded Temporal server and of its Web UI; 0 takes free ones. */
  KAVACH_TEMPORAL_PORT: whole('a port', 0, 65_535).default(7233),
  KAVACH_TEMPORAL_UI_PORT: whole('a port', 0, 65_535).default(8233),
  /** Workers and starters of one installation share it; deliveries use `<queue>-delivery`. */
  KAVACH_TASK_QUEUE: parsed('letters, digits, . _ or -', (text) =>
    /^[\w.-]{1,100}$/.test(text) ? text : undefined,
  ).default('kavach'),
  /** Workflows kept in memory between two of their tasks, about 300 KB each. */
  KAVACH_MAX_CACHED_WORKFLOWS: whole('a number of workflows', 10, 100_000).default(2_000),

  /** The service's own Resend key and the sender of its emails. */
  RESEND_API_KEY: z.string().optional(),
  KAVACH_EMAIL_FROM: parsed('an address, or Name <address>', (text) =>
    SENDER.test(text) ? text : undefined,
  ).optional(),
  /** Resend's address; tests and the demo point it elsewhere. */
  RESEND_BASE_URL: httpUrl("the address of Resend's API", true).optional(),
  /** C3. The organisation's first default destinations. */
  AGENTKAVACH_SLACK_WEBHOOK_URL: httpUrl('an incoming webhook of Slack', false).optional(),
  AGENTKAVACH_WEBHOOK_URL: httpUrl('the address of a webhook', false).optional(),
  /** Signs what goes to AGENTKAVACH_WEBHOOK_URL. */
  AGENTKAVACH_WEBHOOK_SECRET: z.string().optional(),
  AGENTKAVACH_ALERT_EMAIL: parsed('an email address', (text) =>
    EMAIL.test(text) ? text : undefined,
  ).optional(),

  /** How often a busy period is told its totals when nothing is crossed. */
  KAVACH_RELAY_INTERVAL_MS: whole('milliseconds', 10, 3_600_000).default(10_000),
  /** Bound of one relay over all periods together. */
  KAVACH_RELAY_SIGNALS_PER_SECOND: whole('signals a second', 1, 10_000).default(50),
  /** A3. Waits after the first, second, … failed attempt. */
  KAVACH_LADDER_MS: parsed(
    'up to 10 waits in milliseconds, as 30000,120000,600000',
    readLadder,
  ).default([30_000, 120_000, 600_000]),
  /** T5. Quiet time of a threshold's channel after it fired. */
  KAVACH_COOLDOWN_MS: whole('milliseconds', 0, WEEK_MS).default(300_000),
  /** B7. A run that was not heard of for so long is not open any more. */
  KAVACH_RUN_SILENCE_MS: whole('milliseconds', 100, 86_400_000).default(60_000),
  /** B2. Time zone of agents that name none. */
  KAVACH_ORG_ZONE: parsed('an IANA time zone such as Europe/Berlin', readZone).default('UTC'),

  KAVACH_LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default(
    'info',
  ),
  /** `pretty` is one line for people, `json` one object for machines, `auto` asks the terminal. */
  KAVACH_LOG_FORMAT: oneOf(['auto', 'pretty', 'json']).default('auto'),
});

/** Their values are never shown, not even in a fault. */
export const SECRET_VARIABLES: ReadonlySet<string> = new Set([
  'DATABASE_URL',
  'KAVACH_SEAL_KEYS',
  'RESEND_API_KEY',
  'AGENTKAVACH_SLACK_WEBHOOK_URL',
  'AGENTKAVACH_WEBHOOK_URL',
  'AGENTKAVACH_WEBHOOK_SECRET',
]);
