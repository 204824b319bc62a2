/**
 * Every variable of the environment that the service reads: its meaning, its default and what it
 * must look like. A message says what was expected; config.ts adds the name and what was given.
 * An empty variable counts as unset.
 */
import { NOTICE_WINDOW_MS } from '../domain/alert/agent-notice.js';
import { webhookSecretFault } from '../domain/webhook-secret.js';
import { z } from 'zod';
import { readAllowList } from '../channels/allow-list.js';
import { DEFAULT_RETENTION, readRetention, RETENTION_KINDS } from '../ledger/retention-policy.js';
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
/** A number in E.164 form, a short code, or a name of up to eleven letters and digits. */
const SMS_SENDER = /^(?:\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/;
const WEEK_MS = 604_800_000;

/** One fault an entry. */
const allowList = z.string().transform((text, context) => {
  const { rules, faults } = readAllowList(text);
  const expected = 'addresses, networks and names, each with a port, `*` for any, or none';
  for (const fault of faults) {
    context.addIssue({ code: 'custom', message: `${expected}; ${fault}` });
  }
  return rules;
});

/** The ledger's own reader decides; its error repeats nothing of the text. */
function readSealKeys(text: string): string | undefined {
  try {
    parseSealKeys(text);
    return text;
  } catch {
    return undefined;
  }
}

/** With a host, and with a user where there is a password. */
function readSmtpUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, username, password } = new URL(text);
  const isSmtp = (protocol === 'smtp:' || protocol === 'smtps:') && hostname !== '';
  const isEncoded = !/%(?![0-9A-Fa-f]{2})/.test(username + password);
  return isSmtp && isEncoded && (password === '' || username !== '') ? text : undefined;
}

function readOrigins(text: string): string[] | undefined {
  const origins = text.split(',').map((each) => each.trim());
  const isOrigin = (each: string): boolean =>
    URL.canParse(each) && /^https?:/.test(each) && new URL(each).origin === each.toLowerCase();
  return origins.every(isOrigin) ? origins.map((each) => each.toLowerCase()) : undefined;
}

/** Lower case, without doubles. */
function readDomains(text: string): string[] | undefined {
  const domains = text.split(',').map((each) => each.trim().toLowerCase());
  const areWhole = domains.every((each) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(each));
  return areWhole ? [...new Set(domains)] : undefined;
}

/** Without doubles; each as `isWhole` wants it. */
function readSecrets(isWhole: (secret: string) => boolean): (text: string) => string[] | undefined {
  return (text) => {
    const secrets = text.split(',').map((each) => each.trim());
    return secrets.every(isWhole) ? [...new Set(secrets)] : undefined;
  };
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
  /** Requests a second of one API key in each gateway: those that report usage or configure an
   *  agent, and all others. A key may save up ten seconds' worth. */
  KAVACH_USAGE_RATE: whole('requests a second', 1, 1_000_000).default(1_000),
  KAVACH_REQUEST_RATE: whole('requests a second', 1, 1_000_000).default(50),

  /** A Postgres; unset: the embedded ledger in the data folder. */
  DATABASE_URL: parsed('postgres://user:password@host:port/database', (text) =>
    URL.canParse(text) && /^postgres(?:ql)?:$/.test(new URL(text).protocol) ? text : undefined,
  ).optional(),
  /** Keys that seal addresses and credentials; the first seals, all open. */
  KAVACH_SEAL_KEYS: parsed(
    'id:key,… with keys of 32 bytes in base64 (`kavach seal-key` makes one)',
    readSealKeys,
  ).optional(),

  /** A9. Signs links to alerts' pages; unset: a file of the data folder. Shared by all servers. */
  KAVACH_LINK_KEY: parsed('at least 32 characters, best random ones', (text) =>
    text.length >= 32 ? text : undefined,
  ).optional(),

  /** Keys that seal what Temporal's server stores; the first seals, all open. Unset: no codec. */
  KAVACH_CODEC_KEYS: parsed(
    'id:key,… with keys of 32 bytes in base64 (`kavach seal-key` makes one)',
    readSealKeys,
  ).optional(),
  /** Origins of Temporal Web UIs that may ask /codec/decode; unset: the embedded server's. */
  KAVACH_CODEC_ORIGINS: parsed('origins, as https://temporal.example', readOrigins).optional(),

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
  /** A mail server, used instead of Resend. Without `smtps` a login is sent only after STARTTLS. */
  KAVACH_SMTP_URL: parsed(
    'smtp://user:password@host:587 or smtps://user:password@host, percent-encoded',
    readSmtpUrl,
  ).optional(),

  /** Believes what Resend says later of its emails (/callbacks/resend); several while replaced. */
  RESEND_WEBHOOK_SECRET: parsed(
    'signing secrets of Resend webhooks, as whsec_…, separated by commas',
    readSecrets((secret) => /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)),
  ).optional(),
  /** Believes what PagerDuty says of its incidents (/callbacks/pagerduty); several while replaced. */
  PAGERDUTY_WEBHOOK_SECRET: parsed(
    'signing secrets of V3 webhook subscriptions, 16 or more characters each, separated by commas',
    readSecrets((secret) => /^\S{16,512}$/.test(secret)),
  ).optional(),

  /** The service's Twilio account: who sends text messages. */
  TWILIO_ACCOUNT_SID: parsed('AC and 32 hexadecimal digits', (text) =>
    /^AC[0-9a-fA-F]{32}$/.test(text) ? text : undefined,
  ).optional(),
  TWILIO_AUTH_TOKEN: z.string().optional(),
  /** A number or name of the account's, or a messaging service that picks one. */
  TWILIO_FROM: parsed('a number as +15551234567, a short code, or a sender name', (text) =>
    SMS_SENDER.test(text) ? text : undefined,
  ).optional(),
  TWILIO_MESSAGING_SERVICE_SID: parsed('MG and 32 hexadecimal digits', (text) =>
    /^MG[0-9a-fA-F]{32}$/.test(text) ? text : undefined,
  ).optional(),
  /** Of another region (https://api.dublin.ie1.twilio.com); tests point it elsewhere. */
  TWILIO_BASE_URL: httpUrl("the address of Twilio's API", true).optional(),
  /** How long Twilio may hold a text message back before it is dropped. */
  KAVACH_SMS_VALIDITY_SECONDS: whole('seconds', 1, 36_000).default(900),
  /** Of the EU service region: https://events.eu.pagerduty.com. */
  PAGERDUTY_BASE_URL: httpUrl("the address of PagerDuty's Events API", true).optional(),

  /** C3. The organisation's first default destinations. */
  AGENTKAVACH_SLACK_WEBHOOK_URL: httpUrl('an incoming webhook of Slack', false).optional(),
  AGENTKAVACH_WEBHOOK_URL: httpUrl('the address of a webhook', false).optional(),
  /** Signs what goes to AGENTKAVACH_WEBHOOK_URL. */
  AGENTKAVACH_WEBHOOK_SECRET: parsed(
    'a secret: whsec_ and base64 of at least 16 bytes, or any other text',
    (text) => (webhookSecretFault(text) === undefined ? text : undefined),
  ).optional(),
  /** The integration key of an Events API v2 integration. */
  AGENTKAVACH_PAGERDUTY_ROUTING_KEY: parsed('a routing key: 32 letters and digits', (text) =>
    /^[A-Za-z0-9]{32}$/.test(text) ? text : undefined,
  ).optional(),
  AGENTKAVACH_ALERT_EMAIL: parsed('an email address', (text) =>
    EMAIL.test(text) ? text : undefined,
  ).optional(),

  /** C3. Domains whose addresses a synced document may name; others wait for an operator's word. */
  KAVACH_EMAIL_DOMAINS: parsed(
    'domains separated by commas, as example.com,example.org',
    readDomains,
  ).optional(),
  /** A5, A8. Who runs the service: told where an alert reaches nobody else, in this order. */
  KAVACH_OPERATORS_PAGERDUTY_ROUTING_KEY: parsed('a routing key: 32 letters and digits', (text) =>
    /^[A-Za-z0-9]{32}$/.test(text) ? text : undefined,
  ).optional(),
  KAVACH_OPERATORS_SLACK_WEBHOOK_URL: httpUrl('an incoming webhook of Slack', false).optional(),
  KAVACH_OPERATORS_EMAIL: parsed('an email address', (text) =>
    EMAIL.test(text) ? text : undefined,
  ).optional(),
  KAVACH_OPERATORS_WEBHOOK_URL: httpUrl('the address of a webhook', false).optional(),
  /** A8. From the first word of a high or critical alert to the operators' turn. */
  KAVACH_ESCALATE_AFTER_MS: whole('milliseconds', 100, WEEK_MS).default(900_000),
  /** A2. How long a copy of a notice is a repeat, and sends nothing. */
  KAVACH_NOTICE_WINDOW_MS: whole('milliseconds', 100, 86_400_000).default(NOTICE_WINDOW_MS),
  /** P3. How long the hour of an hourly digest is; below an hour it does not keep to the clock. */
  KAVACH_DIGEST_HOUR_MS: whole('milliseconds', 100, 3_600_000).default(3_600_000),
  /** A14. Alerts a minute to one destination; the rest of that minute is held. */
  KAVACH_STORM_LIMIT: whole('alerts a minute', 1, 100_000).default(10),
  KAVACH_STORM_WINDOW_MS: whole('milliseconds', 100, 86_400_000).default(60_000),

  /** A15. A watchdog that is asked for as long as alerts are decided and sent. */
  KAVACH_DEAD_MAN_SWITCH_URL: httpUrl('the address of a watchdog', false).optional(),
  KAVACH_DEAD_MAN_SWITCH_MS: whole('milliseconds', 1_000, 86_400_000).default(60_000),

  /** In-house targets of webhooks, beside the public internet: `10.0.0.0/8,*.corp.example:8080`. */
  KAVACH_ALLOW_TARGETS: allowList.default([]),

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
  /** R3. A rule's alert is over when nothing was heard of its condition for so long. */
  KAVACH_RULE_SILENCE_MS: whole('milliseconds', 100, WEEK_MS).default(600_000),
  /** B2. Time zone of agents that name none. */
  KAVACH_ORG_ZONE: parsed('an IANA time zone such as Europe/Berlin', readZone).default('UTC'),

  /** How long records are kept, in days: `events=90,audit=forever`; the rest keep their defaults. */
  KAVACH_RETENTION: parsed(
    `kind=days or kind=forever, with commas between; kinds are ${RETENTION_KINDS.join(', ')}, and events, runs and periods stay 40 days at least`,
    readRetention,
  ).default(DEFAULT_RETENTION),

  KAVACH_LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default(
    'info',
  ),
  /** `pretty` is one line for people, `json` one object for machines, `auto` asks the terminal. */
  KAVACH_LOG_FORMAT: oneOf(['auto', 'pretty', 'json']).default('auto'),
});
