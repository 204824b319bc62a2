/**
 * What one rule's counts come to: an alert, matches that are held back, an end.
 *
 * R2. A match that comes at or after the end of the cooldown raises an alert; one inside it is
 *     counted, and the next alert says how many there were. Every match is in exactly one of both.
 * R3. The alerts are over when of every sender the condition was false twice in a row, or nothing
 *     was heard for the silence of the policy.
 */
import type { Policy } from '../alert/policy.js';
import type { Raising, RuleState, SenderCount } from './state.js';

/** Of a rule without a cooldown so many alerts wait at a time; its other matches stay uncounted. */
const MAX_RAISING = 100;
/** R3. */
const MISSES_TO_END = 2;

export function decide(rule: RuleState, policy: Policy, now: number): RuleState {
  if (!rule.isKnown) return rule;
  if (rule.definition === undefined) return removed(rule);
  return endIfOver(count(rule, rule.definition.cooldownMs, now), policy, now);
}

/** Matches that nothing was decided on yet. */
export function freshOf({ senders }: RuleState): number {
  return Object.values(senders).reduce((sum, { matches, counted }) => sum + matches - counted, 0);
}

/** R2. When the next match would raise an alert; undefined: now. */
export function quietUntil({ raisedAt, definition }: RuleState): number | undefined {
  if (raisedAt === undefined || definition === undefined) return undefined;
  return raisedAt + definition.cooldownMs;
}

/** R3. When silence ends what is open; undefined: nothing is open, or nobody holds it so. */
export function silentAt(rule: RuleState, policy: Policy): number | undefined {
  if (rule.alerts <= rule.over) return undefined;
  const holding = Object.values(rule.senders).filter(isHolding);
  if (holding.length === 0) return undefined;
  return Math.max(...holding.map(({ heardAt }) => heardAt)) + policy.ruleSilenceMs;
}

function count(rule: RuleState, cooldownMs: number, now: number): RuleState {
  const fresh = freshOf(rule);
  if (fresh === 0) return rule;
  if (cooldownMs === 0) return raiseEach(rule, fresh, now);
  const senders = countUp(rule.senders, fresh);
  const matchedAt = newestMatch(rule, now);
  const quiet = quietUntil(rule);
  if (quiet !== undefined && matchedAt < quiet)
    return { ...rule, senders, held: rule.held + fresh };
  // All of them came before it is raised: it tells of those that did not raise it.
  const alert: Raising = { no: rule.alerts + 1, at: matchedAt, held: rule.held + fresh - 1 };
  return {
    ...{ ...rule, senders, raisedAt: now, alerts: alert.no },
    held: 0,
    raising: [...rule.raising, alert],
  };
}

function raiseEach(rule: RuleState, fresh: number, now: number): RuleState {
  const room = Math.min(fresh, MAX_RAISING - rule.raising.length);
  if (room <= 0) return rule;
  const at = newestMatch(rule, now);
  const raising = Array.from({ length: room }, (_, i): Raising => ({
    no: rule.alerts + 1 + i,
    at,
    // Left over from a time when it had a cooldown.
    held: i === 0 ? rule.held : 0,
  }));
  return {
    ...{ ...rule, senders: countUp(rule.senders, room), held: 0, raisedAt: now },
    alerts: rule.alerts + room,
    raising: [...rule.raising, ...raising],
  };
}

/** Decides on so many of the matches, one sender after the other. */
function countUp(senders: RuleState['senders'], matches: number): RuleState['senders'] {
  let left = matches;
  const counted: Record<string, SenderCount> = {};
  for (const [name, sender] of Object.entries(senders)) {
    const taken = Math.min(left, sender.matches - sender.counted);
    left -= taken;
    counted[name] = taken === 0 ? sender : { ...sender, counted: sender.counted + taken };
  }
  return counted;
}

function newestMatch({ senders }: RuleState, now: number): number {
  const moments = Object.values(senders)
    .filter(({ matches, counted }) => matches > counted)
    .map(({ matchedAt, heardAt }) => matchedAt ?? heardAt);
  return Math.min(Math.max(...moments), now);
}

function endIfOver(rule: RuleState, policy: Policy, now: number): RuleState {
  if (rule.alerts <= rule.over) return rule;
  const silent = silentAt(rule, policy);
  return silent === undefined || silent <= now ? { ...rule, over: rule.alerts } : rule;
}

function isHolding({ misses }: SenderCount): boolean {
  return misses < MISSES_TO_END;
}

/** What is on its way is let go on; nothing more is raised, and all of it is over. */
function removed(rule: RuleState): RuleState {
  const raising = rule.raising.filter(({ isSent }) => isSent === true);
  const senders = countUp(rule.senders, freshOf(rule));
  return { ...rule, senders, held: 0, raising, over: rule.alerts };
}
