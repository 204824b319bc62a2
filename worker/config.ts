/**
 * The one validated configuration of the service.
 * C-1. All faults are told at once, each with the variable's name, what was given and what was
 *      expected; the value of a secret is never shown.
 * C-2. Nothing else in the service reads the environment.
 */
import type { z } from 'zod';
import type { AllowList } from '../channels/allow-list.js';
import type { ChannelOptions } from '../channels/index.js';
import { DEFAULT_POLICY, type Policy } from '../domain/alert/policy.js';
import type { Retention } from '../ledger/retention-policy.js';
import { channelOptionsOf } from './channels.js';
import { SECRET_VARIABLES } from './secret-variables.js';
import { VARIABLES } from './variables.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Config {
  readonly dataDir: string;
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl?: string;
    /** Requests a second of one API key, in each gateway. */
    readonly rates: { readonly usage: number; readonly other: number };
    /** A2. */
    readonly noticeWindowMs: number;
  };
  /** P3. Of an hourly digest, ms. */
  readonly digestHourMs: number;
  /** Absent: the embedded ledger. */
  readonly databaseUrl?: string;
  /** As `id:base64,…`; absent: the file of the embedded ledger. */
  readonly sealKeys?: string;
  /** A9. Signs links to alerts; absent: the file of the data folder. */
  readonly linkKey?: string;
  readonly temporal: TemporalConfig;
  /** Absent: what Temporal stores is not sealed. */
  readonly codec?: { readonly keys: string; readonly origins: readonly string[] };
  /** Accounts that messages are sent from. */
  readonly channels: ChannelOptions;
  /** What providers' callbacks are believed by; Twilio's are by its account's token. */
  readonly callbacks: {
    readonly resendSecrets: readonly string[];
    readonly pagerdutySecrets: readonly string[];
  };
  /** C3. Default destinations to set at start. */
  readonly destinations: readonly DefaultDestination[];
  /** A5. Set at start where any is named; absent: what the ledger has stays. */
  readonly operators?: readonly DefaultDestination[];
  /** C3. Set at start; absent: what the ledger has stays. */
  readonly emailDomains?: readonly string[];
  /** A8, A14. */
  readonly delivery: {
    readonly escalateAfterMs: number;
    readonly stormLimit: number;
    readonly stormWindowMs: number;
  };
  /** A15. */
  readonly deadManSwitch?: { readonly url: string; readonly everyMs: number };
  /** What customers' addresses may lead to beside the public internet. */
  readonly allowTargets: AllowList;
  readonly relay: { readonly intervalMs: number; readonly signalsPerSecond: number };
  /** Days each kind of record is kept. */
  readonly retention: Retention;
  /** `searchAttributes` is only a wish here: the namespace decides at start. */
  readonly policy: Policy;
  /** IANA name. */
  readonly zone: string;
  readonly log: Pick<LogSettings, 'level' | 'format'>;
}

export interface TemporalConfig {
  /** Absent: the embedded server. */
  readonly address?: string;
  readonly port: number;
  readonly uiPort: number;
  readonly taskQueue: string;
  readonly maxCachedWorkflows: number;
  /** All TEMPORAL_* variables as they are, for Temporal's own library. */
  readonly environment: Environment;
}

export interface DefaultDestination {
  readonly channel: 'slack' | 'webhook' | 'email' | 'pagerduty';
  readonly address: string;
  readonly secrets?: readonly string[];
}

export interface LogSettings {
  readonly level: z.infer<typeof VARIABLES>['KAVACH_LOG_LEVEL'];
  readonly format: 'auto' | 'pretty' | 'json';
}

/** One line a fault; what a person sees when the configuration is refused. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    const count = faults.length === 1 ? 'a fault' : `${String(faults.length)} faults`;
    super(`The configuration has ${count}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/** Throws a ConfigError with every fault there is. */
export function loadConfig(environment: Environment): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const result = VARIABLES.safeParse(given);
  const faults = [
    ...(result.success ? [] : result.error.issues.map((issue) => describeIssue(issue, given))),
    ...missingCompanions(given),
  ];
  if (!result.success || faults.length > 0) throw new ConfigError(faults);
  return assemble(result.data, given);
}

function describeIssue(issue: z.core.$ZodIssue, given: Environment): string {
  const name = String(issue.path[0]);
  const value = given[name] ?? '';
  const shown = SECRET_VARIABLES.has(name)
    ? `is set to something else (${String(value.length)} characters, not shown)`
    : `is ${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)}`;
  return `${name} ${shown}: expected ${issue.message}`;
}

/** What one variable asks of another. */
const COMPANIONS: readonly { of: string; needs: string | string[]; because: string }[] = [
  {
    of: 'DATABASE_URL',
    needs: 'KAVACH_SEAL_KEYS',
    because:
      'a shared ledger needs keys that all its servers know; make one with `kavach seal-key`',
  },
  {
    of: 'KAVACH_CODEC_ORIGINS',
    needs: 'KAVACH_CODEC_KEYS',
    because: 'there is no codec without keys',
  },
  {
    of: 'AGENTKAVACH_WEBHOOK_SECRET',
    needs: 'AGENTKAVACH_WEBHOOK_URL',
    because: 'it signs what is sent there',
  },
  {
    of: 'AGENTKAVACH_ALERT_EMAIL',
    needs: ['RESEND_API_KEY', 'KAVACH_SMTP_URL'],
    because: 'emails are sent through Resend or a mail server',
  },
  {
    of: 'RESEND_API_KEY',
    needs: 'KAVACH_EMAIL_FROM',
    because:
      'Resend sends only from an address of a domain you own, as Kavach <alerts@example.com>',
  },
  {
    of: 'KAVACH_SMTP_URL',
    needs: 'KAVACH_EMAIL_FROM',
    because: 'every email names its sender, as Kavach <alerts@example.com>',
  },
  {
    of: 'TWILIO_ACCOUNT_SID',
    needs: 'TWILIO_AUTH_TOKEN',
    because: 'Twilio asks for both',
  },
  {
    of: 'TWILIO_ACCOUNT_SID',
    needs: ['TWILIO_FROM', 'TWILIO_MESSAGING_SERVICE_SID'],
    because: 'a text message needs a sender',
  },
  ...['TWILIO_AUTH_TOKEN', 'TWILIO_FROM', 'TWILIO_MESSAGING_SERVICE_SID'].map((of) => ({
    ...{ of, needs: 'TWILIO_ACCOUNT_SID', because: 'it belongs to an account' },
  })),
];

/** Several that are needed: one of them will do. */
function missingCompanions(given: Environment): string[] {
  return COMPANIONS.map(({ of, needs, because }) => ({ of, because, needs: [needs].flat() }))
    .filter(({ of, needs }) => given[of] !== undefined && !needs.some((name) => given[name]))
    .map(({ of, needs, because }) => {
      const names = needs.join(' or ');
      return `${names} is not set: expected because ${of} is set; ${because}`;
    });
}

function assemble(values: z.infer<typeof VARIABLES>, given: Environment): Config {
  const companions = Object.entries(given).filter(([name]) => name.startsWith('TEMPORAL_'));
  return {
    dataDir: values.KAVACH_DATA_DIR,
    gateway: {
      host: values.KAVACH_HOST,
      port: values.KAVACH_PORT,
      ...(values.KAVACH_PUBLIC_URL && { publicUrl: values.KAVACH_PUBLIC_URL }),
      rates: { usage: values.KAVACH_USAGE_RATE, other: values.KAVACH_REQUEST_RATE },
      noticeWindowMs: values.KAVACH_NOTICE_WINDOW_MS,
    },
    digestHourMs: values.KAVACH_DIGEST_HOUR_MS,
    ...(values.DATABASE_URL && { databaseUrl: values.DATABASE_URL }),
    ...(values.KAVACH_SEAL_KEYS && { sealKeys: values.KAVACH_SEAL_KEYS }),
    ...(values.KAVACH_LINK_KEY && { linkKey: values.KAVACH_LINK_KEY }),
    ...(values.KAVACH_CODEC_KEYS && {
      codec: {
        keys: values.KAVACH_CODEC_KEYS,
        origins: values.KAVACH_CODEC_ORIGINS ?? embeddedOrigins(values.KAVACH_TEMPORAL_UI_PORT),
      },
    }),
    temporal: {
      ...(values.TEMPORAL_ADDRESS && { address: values.TEMPORAL_ADDRESS }),
      port: values.KAVACH_TEMPORAL_PORT,
      uiPort: values.KAVACH_TEMPORAL_UI_PORT,
      taskQueue: values.KAVACH_TASK_QUEUE,
      maxCachedWorkflows: values.KAVACH_MAX_CACHED_WORKFLOWS,
      environment: Object.fromEntries(companions),
    },
    channels: channelOptionsOf(values),
    callbacks: {
      resendSecrets: values.RESEND_WEBHOOK_SECRET ?? [],
      pagerdutySecrets: values.PAGERDUTY_WEBHOOK_SECRET ?? [],
    },
    destinations: destinationsOf(values),
    ...operatorsOf(values),
    ...(values.KAVACH_EMAIL_DOMAINS && { emailDomains: values.KAVACH_EMAIL_DOMAINS }),
    delivery: {
      escalateAfterMs: values.KAVACH_ESCALATE_AFTER_MS,
      stormLimit: values.KAVACH_STORM_LIMIT,
      stormWindowMs: values.KAVACH_STORM_WINDOW_MS,
    },
    ...deadManSwitchOf(values),
    allowTargets: values.KAVACH_ALLOW_TARGETS,
    relay: {
      intervalMs: values.KAVACH_RELAY_INTERVAL_MS,
      signalsPerSecond: values.KAVACH_RELAY_SIGNALS_PER_SECOND,
    },
    retention: values.KAVACH_RETENTION,
    policy: {
      ...DEFAULT_POLICY,
      ladderMs: values.KAVACH_LADDER_MS,
      cooldownMs: values.KAVACH_COOLDOWN_MS,
      runSilenceMs: values.KAVACH_RUN_SILENCE_MS,
      ruleSilenceMs: values.KAVACH_RULE_SILENCE_MS,
    },
    zone: values.KAVACH_ORG_ZONE,
    log: { level: values.KAVACH_LOG_LEVEL, format: values.KAVACH_LOG_FORMAT },
  };
}

/** People open the embedded Web UI by either name. */
function embeddedOrigins(port: number): string[] {
  return [`http://localhost:${String(port)}`, `http://127.0.0.1:${String(port)}`];
}

function operatorsOf(values: z.infer<typeof VARIABLES>): Pick<Config, 'operators'> {
  const operators = (
    [
      ['pagerduty', values.KAVACH_OPERATORS_PAGERDUTY_ROUTING_KEY],
      ['slack', values.KAVACH_OPERATORS_SLACK_WEBHOOK_URL],
      ['email', values.KAVACH_OPERATORS_EMAIL],
      ['webhook', values.KAVACH_OPERATORS_WEBHOOK_URL],
    ] as const
  ).flatMap(([channel, address]) => (address === undefined ? [] : [{ channel, address }]));
  return operators.length === 0 ? {} : { operators };
}

function deadManSwitchOf(values: z.infer<typeof VARIABLES>): Pick<Config, 'deadManSwitch'> {
  const { KAVACH_DEAD_MAN_SWITCH_URL: url, KAVACH_DEAD_MAN_SWITCH_MS: everyMs } = values;
  return url === undefined ? {} : { deadManSwitch: { url, everyMs } };
}

function destinationsOf(values: z.infer<typeof VARIABLES>): DefaultDestination[] {
  const slack = values.AGENTKAVACH_SLACK_WEBHOOK_URL;
  const webhook = values.AGENTKAVACH_WEBHOOK_URL;
  const secret = values.AGENTKAVACH_WEBHOOK_SECRET;
  const email = values.AGENTKAVACH_ALERT_EMAIL;
  const routingKey = values.AGENTKAVACH_PAGERDUTY_ROUTING_KEY;
  return [
    ...(slack ? [{ channel: 'slack', address: slack } as const] : []),
    ...(webhook
      ? [
          {
            channel: 'webhook',
            address: webhook,
            ...(secret ? { secrets: [secret] } : {}),
          } as const,
        ]
      : []),
    ...(email ? [{ channel: 'email', address: email } as const] : []),
    ...(routingKey ? [{ channel: 'pagerduty', address: routingKey } as const] : []),
  ];
}
