/**
 * What an alert's deliveries come to together (A1, A6). A critical alert needs two channels, which
 * are two providers: every channel has one of its own. A fallback and a level of escalation vote
 * like any other; `kill` is no delivery and has no vote.
 */
import { isPerson } from './ending.js';
import type { AlertResult, AlertState, Delivery } from './state.js';

export function hasEnded({ status }: Delivery): boolean {
  return status === 'accepted' || status === 'failed' || status === 'suppressed';
}

export function resultOf({ input, deliveries, acknowledged, resolved }: AlertState): AlertResult {
  const fires = deliveries.filter(({ purpose }) => purpose === 'fire');
  const accepted = fires.filter(({ status }) => status === 'accepted');
  const votes = new Set(accepted.map(({ route }) => route.channel)).size;
  if (votes >= quorumOf(input.facts.priority)) return 'delivered';
  // An alert that only kills has nobody to tell: it has not failed.
  if (fires.length === 0 || !fires.every(hasEnded)) return 'pending';
  // Whoever spoke has been reached, by whatever way.
  const spoke = acknowledged !== undefined || (resolved !== undefined && isPerson(resolved.by));
  if (votes > 0 || spoke) return 'degraded';
  // P3. It is told with others, later: whether that fails is the digest's to say.
  return fires.some(({ suppression }) => suppression === 'digest') ? 'pending' : 'exhausted';
}

/** A6. */
export function quorumOf(priority: AlertState['input']['facts']['priority']): number {
  return priority === 'critical' ? 2 : 1;
}
