/**
 * What accepted deliveries are told later: PagerDuty that a person has taken the alert, and all
 * that it is over (T7). The ledger knows which destinations want to hear of an end.
 */
import { sequelId } from '../ids.js';
import { endsByItself } from './ending.js';
import type { ChannelName } from '../words.js';
import type { AlertState, Delivery, Purpose } from './state.js';

/** T7. Who is told that it is over unless it was said otherwise; PagerDuty is always. */
export const TOLD_OF_RESOLUTION: ReadonlySet<ChannelName> = new Set<ChannelName>([
  'webhook',
  'pagerduty',
]);

export function openSequels(state: AlertState, now: number): AlertState {
  const { phase, acknowledged, input } = state;
  if (endsByItself(input)) return state;
  if (phase === 'resolved') return follow(state, 'resolve', () => true, now);
  if (acknowledged === undefined) return state;
  return follow(state, 'acknowledge', ({ route }) => route.channel === 'pagerduty', now);
}

function follow(
  state: AlertState,
  purpose: Exclude<Purpose, 'fire'>,
  concerns: (delivery: Delivery) => boolean,
  now: number,
): AlertState {
  const known = new Set(state.deliveries.map(({ id }) => id));
  const sequels = state.deliveries.flatMap((fire): Delivery[] => {
    if (fire.purpose !== 'fire' || fire.status !== 'accepted' || !concerns(fire)) return [];
    const id = sequelId(fire.id, purpose);
    if (known.has(id)) return [];
    const { route, cause } = fire;
    const sequel = { id, route, purpose, status: 'due', dueAt: now, attempts: [] } as const;
    return [cause === undefined ? sequel : { ...sequel, cause }];
  });
  return sequels.length === 0 ? state : { ...state, deliveries: [...state.deliveries, ...sequels] };
}
