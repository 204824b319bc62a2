/**
 * What an operator who sets limits should hear beside the answer: what a new limit took away, and
 * which of its alerts have nowhere to go (C3). Pure.
 */
import { formatAmount } from '../domain/amount.js';
import type { ChannelName } from '../domain/words.js';
import type { LimitBody } from './layer-schemas.js';
import type { LimitView, ScopeLimitsView } from './limit-views.js';

type Held = Pick<ScopeLimitsView, 'limits'>;

/** `bot's daily cost limit lost: 80 % slack, 100 % kill; say them again …`, one a limit. */
export function lossesOf(before: Held, after: Held): readonly string[] {
  return before.limits.flatMap((was) => {
    const what = `the ${was.cadence} ${was.dimension} limit of ${formatAmount(was.dimension, was.amount)}`;
    const is = after.limits.find(
      (each) => each.cadence === was.cadence && each.dimension === was.dimension,
    );
    const left = new Set(is === undefined ? [] : waysOf(is).map(({ key }) => key));
    const lost = waysOf(was).filter(({ key }) => !left.has(key));
    const words = [
      ...(lost.length === 0 ? [] : [`its alerts ${lost.map(({ text }) => text).join(', ')}`]),
      ...(was.enforcement === 'block' && is?.enforcement !== 'block' ? ['its block'] : []),
    ];
    if (words.length === 0) return [];
    return [
      `${what} was replaced, and ${words.join(' and ')} with it: set them again to keep them`,
    ];
  });
}

function waysOf({ thresholds }: LimitView): { key: string; text: string }[] {
  return thresholds.flatMap(({ bps, routes }) =>
    routes.map(({ channel, destination }) => ({
      key: JSON.stringify([bps, channel, destination]),
      text: `${String(bps / 100)} % ${channel}`,
    })),
  );
}

export interface WaysThere {
  /** Channels that have a default destination. */
  readonly defaults: readonly ChannelName[];
  /** Whether the service has an account to send from. */
  readonly hasAccount: (channel: ChannelName) => boolean;
}

/** C3. Alerts that will be recorded and not sent, one warning a channel and cause. */
export function lostWays(limits: readonly LimitBody[], there: WaysThere): readonly string[] {
  const ways = limits.flatMap(({ thresholds }) => thresholds);
  const warnings = ways.flatMap(({ channel, target, destination }) => {
    if (channel === 'kill') return [];
    const isDefault = target === undefined && destination === undefined;
    return [
      ...(isDefault && !there.defaults.includes(channel)
        ? [
            `there is no default destination for ${channel}: such alerts go nowhere until one is set ` +
              `(\`kavach destinations default ${channel} …\`) or named (80%:${channel}=…)`,
          ]
        : []),
      ...(there.hasAccount(channel)
        ? []
        : [
            `the service has no account to send by ${channel} from: such alerts go nowhere until ` +
              'it is configured (docs/guides/channels.md)',
          ]),
    ];
  });
  return [...new Set(warnings)];
}
