/**
 * Taking one sender's counts into the state: of each (rule, sender) the highest (epoch, seq) counts.
 * Nothing here depends on the order of reports, and nothing is decided.
 */
import type { MatchReport, RuleCount } from './report.js';
import type { AgentState, RuleRow, RuleState, SenderCount } from './state.js';
import { LEDGER } from './state.js';

/** Rules one agent's workflow keeps apart, and senders of one rule. */
export const MAX_RULES = 1_000;
export const MAX_SENDERS = 200;
/** A direct sender that was silent for so long makes room for another, ms. */
const FORGET_AFTER_MS = 3_600_000;

export function applyReport(state: AgentState, report: MatchReport, now: number): AgentState {
  const wanted = Math.max(state.wanted, report.rev);
  return report.rules.reduce<AgentState>((next, count) => take(next, report, count, now), {
    ...state,
    wanted,
  });
}

/** Counts what could not be read; the last one is shown in the status. */
export function reject(state: AgentState, reason: string): AgentState {
  return { ...state, rejected: state.rejected + 1, lastRejection: reason.slice(0, 200) };
}

export function emptyRow(rule: string): RuleRow {
  return { rule, senders: {}, held: 0, alerts: 0, over: 0, told: 0 };
}

/** Of a rule that nobody has heard of: its row may know more. */
function unknownRule(rule: string): RuleState {
  return { ...emptyRow(rule), isKnown: false, raising: [] };
}

function take(state: AgentState, report: MatchReport, count: RuleCount, now: number): AgentState {
  const { sender } = report;
  const known = state.rules[count.rule];
  if (known === undefined && Object.keys(state.rules).length >= MAX_RULES) {
    return reject(state, `rule ${count.rule}: more than ${String(MAX_RULES)} rules`);
  }
  const rule = known ?? unknownRule(count.rule);
  const before = rule.senders[sender];
  if (before !== undefined && !isNewer(report, before)) return state;
  const others = before === undefined ? withRoom(rule.senders, now) : rule.senders;
  if (others === undefined) return reject(state, `rule ${count.rule}: too many senders`);
  const senders = { ...others, [sender]: countOf(report, count, before, now) };
  return { ...state, rules: { ...state.rules, [count.rule]: { ...rule, senders } } };
}

export function isNewer(
  report: Pick<SenderCount, 'epoch' | 'seq'>,
  known: Pick<SenderCount, 'epoch' | 'seq'>,
): boolean {
  return report.epoch === known.epoch ? report.seq > known.seq : report.epoch > known.epoch;
}

function countOf(
  { epoch, seq }: MatchReport,
  { matches, misses, heardAt, matchedAt }: RuleCount,
  before: SenderCount | undefined,
  now: number,
): SenderCount {
  return {
    ...{ epoch, seq, matches, misses },
    // A sender that starts over (a restored ledger) may have fewer: none of them counts twice.
    counted: Math.min(before?.counted ?? 0, matches),
    heardAt: Math.min(heardAt, now),
    ...(matchedAt === undefined ? {} : { matchedAt: Math.min(matchedAt, now) }),
  };
}

/** Undefined where it is full, and nobody has been silent for long. */
function withRoom(senders: RuleState['senders'], now: number): RuleState['senders'] | undefined {
  const names = Object.keys(senders);
  if (names.length < MAX_SENDERS) return senders;
  const direct = Object.entries(senders).filter(([name]) => name !== LEDGER);
  const [oldest] = direct.sort(([, a], [, b]) => a.heardAt - b.heardAt);
  if (oldest === undefined || oldest[1].heardAt + FORGET_AFTER_MS > now) return undefined;
  return Object.fromEntries(Object.entries(senders).filter(([name]) => name !== oldest[0]));
}
