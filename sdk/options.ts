/** What `new AgentKavach(…)` takes. Each default is named beside its option. */
import type { Budget } from './budget.js';
import type { ChannelConfig } from './channel.js';
import type { KillReason } from './kill-reason.js';
import type { ModelRates } from './price.js';

export const PROVIDERS = ['openai', 'anthropic'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Where the guard tells what it cannot tell its caller. Every method is optional. */
export interface Logger {
  debug?(message: string, fields?: object): void;
  info?(message: string, fields?: object): void;
  warn?(message: string, fields?: object): void;
  error?(message: string, fields?: object): void;
}

/** The most one call can come to, where nobody can work it out (B6). */
export interface CallBound {
  readonly usd?: number;
  /** Input and output together. */
  readonly tokens?: number;
}

/** What a service would have in its configuration. */
export interface StandaloneOptions {
  /** An IANA name: where days, weeks and months begin. @default UTC */
  readonly timeZone?: string;
  /** `Kavach <alerts@example.com>`. @default Resend's own, which reaches its key's owner alone */
  readonly emailFrom?: string;
  /** Besides the public internet: `127.0.0.1:*`, `10.0.0.0/8`, `*.corp.example:8080`. */
  readonly allowTargets?: readonly string[];
  /** @default https://api.resend.com */
  readonly resendUrl?: string;
  /** `https://events.eu.pagerduty.com` in the EU. @default https://events.pagerduty.com */
  readonly pagerdutyUrl?: string;
}

export interface AgentKavachOptions<P extends Provider = Provider> {
  /** @default openai */
  readonly provider?: P;
  /** The service's key; `standalone` alone needs none. */
  readonly apiKey?: string | undefined;
  /** The provider's key, for `create`. A guard that only wraps clients or records needs none. */
  readonly llmKey?: string | undefined;
  readonly agentName: string;
  /** @default Budget.daily(100), where there is no `orgBudget` either, as in the Python SDK */
  readonly budget?: Budget;
  /** Pooled by all agents of the organisation. */
  readonly orgBudget?: Budget;
  /** Runs once per kill or Stop; what it throws is logged. */
  readonly onKill?: (reason: KillReason) => unknown;
  /** @default from the environment at 0.70, 0.90 and 1.00, and a kill at 1.00 */
  readonly channels?: readonly ChannelConfig[];
  readonly maxTokensPerRun?: number;
  readonly maxCallsPerRun?: number;
  readonly maxRuntimeSeconds?: number;
  /** @default false */
  readonly detectLoops?: boolean;
  /** Repetitions of a pattern that are a loop. @default 3 */
  readonly loopThreshold?: number;
  /** One execution of the agent. @default a new UUID */
  readonly runId?: string;
  /** The first 2,048 characters of a call's first message go with its event. @default false */
  readonly savePrompts?: boolean;
  /** A fault inside the guard kills the run instead of being logged. @default false */
  readonly failOnError?: boolean;

  /** The gateway. @default AGENTKAVACH_BACKEND_URL */
  readonly endpoint?: string | undefined;
  /** Where the provider is asked. @default the provider's own */
  readonly llmBaseUrl?: string | undefined;
  /** USD a million tokens, by model; they go before the price library. */
  readonly prices?: Readonly<Record<string, ModelRates>>;
  readonly callBound?: CallBound;
  /** L6. Past the lease: refuse, or go on and report. @default closed where there is a kill */
  readonly whenUnreachable?: 'closed' | 'open';
  /** @default silent */
  readonly logger?: Logger;
  /** No service: the same rules in this process, best effort. @default false */
  readonly standalone?: boolean | StandaloneOptions;
  /** For the gateway; the provider's client has its own. @default the global one */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * Where a restart finds what this process held (L4); false: nowhere, in memory only.
   * @default AGENTKAVACH_JOURNAL_DIR, else a folder below the user's state directory
   */
  readonly journalDir?: string | false | undefined;
}
