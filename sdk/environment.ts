/** What a guard takes from the environment where its author says nothing (spec §7). */
import type { Fault } from './faults.js';
import { inside, placeOf } from './faults.js';
import { readChannel, type ChannelConfig } from './channel.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** At these ratios of its budgets' cost. */
export const DEFAULT_THRESHOLDS = [0.7, 0.9, 1] as const;

/** Empty outside of Node and its like. */
export function processEnvironment(): Environment {
  const host = globalThis as { readonly process?: { readonly env?: Environment } };
  return host.process?.env ?? {};
}

/**
 * Each channel whose variables are set, at the default thresholds; always a kill at 1.0, as a
 * guard without any would keep nobody inside a budget. A variable that is set to nothing is unset.
 */
export function channelsFromEnvironment(env: Environment, faults: Fault[]): ChannelConfig[] {
  const targets = [
    named(env, 'AGENTKAVACH_ALERT_EMAIL', (to) => ({
      ...{ type: 'email', to },
      ...set(env, 'RESEND_API_KEY', 'apiKey'),
    })),
    named(env, 'AGENTKAVACH_SLACK_WEBHOOK_URL', (webhookUrl) => ({ type: 'slack', webhookUrl })),
    named(env, 'AGENTKAVACH_PAGERDUTY_ROUTING_KEY', (routingKey) => ({
      ...{ type: 'pagerduty', routingKey },
    })),
    named(env, 'AGENTKAVACH_WEBHOOK_URL', (url) => ({
      ...{ type: 'webhook', url },
      ...set(env, 'AGENTKAVACH_WEBHOOK_SECRET', 'secret'),
    })),
  ].flat();
  const channels = targets.flatMap(({ variable, target }) => {
    const found: Fault[] = [];
    const read = DEFAULT_THRESHOLDS.flatMap((threshold) => {
      found.length = 0;
      return readChannel({ ...target, threshold }, inside(placeOf('', found), variable)) ?? [];
    });
    faults.push(...found);
    return read;
  });
  return [...channels, { type: 'kill', threshold: 1, budgetType: 'cost' }];
}

interface Named {
  readonly variable: string;
  readonly target: object;
}

function named(env: Environment, variable: string, target: (value: string) => object): Named[] {
  const value = env[variable]?.trim() ?? '';
  if (value === '') return [];
  // The email's two variables come together: with the address alone nobody asked for mails.
  if (variable === 'AGENTKAVACH_ALERT_EMAIL' && (env['RESEND_API_KEY'] ?? '') === '') return [];
  return [{ variable, target: target(value) }];
}

function set(env: Environment, variable: string, name: string): object {
  const value = env[variable]?.trim() ?? '';
  return value === '' ? {} : { [name]: value };
}
