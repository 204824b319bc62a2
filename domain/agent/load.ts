/**
 * Taking in what the ledger says of the rules. Definitions are always its word; of the counts and
 * alerts of a rule that is known already this life knows more.
 */
import { emptyRow, isNewer } from './apply-report.js';
import { markOf } from './publish.js';
import type { AgentState, LoadedRules, Raising, RuleRow, RuleState, SenderCount } from './state.js';

/** Alerts of an earlier life that are raised once more: the last ones. */
const RAISED_AGAIN = 10;

export function withLoaded(state: AgentState, { rev, rules: read }: LoadedRules): AgentState {
  const rules: Record<string, RuleState> = {};
  const byId = new Map(read.map((each) => [each.row.rule, each]));
  for (const id of new Set([...Object.keys(state.rules), ...byId.keys()])) {
    const { row = emptyRow(id), definition } = byId.get(id) ?? {};
    const known = state.rules[id];
    const { definition: _old, ...rest } =
      known?.isKnown === true ? known : begun(row, known, definition !== undefined);
    rules[id] = { ...rest, ...(definition === undefined ? {} : { definition }) };
  }
  const next = {
    ...{ ...state, rules, rev, loading: false },
    // Nobody can want more than there is.
    wanted: rev,
  };
  // What was just read needs no publish.
  const hadAll = state.rev < 0 || state.published === markOf(state);
  return hadAll ? { ...next, published: markOf(next) } : next;
}

/**
 * What an earlier life has left. Its open alerts are raised once more: their ids make that nothing,
 * unless Temporal has lost them.
 */
function begun(row: RuleRow, reported: RuleState | undefined, holds: boolean): RuleState {
  const first = Math.max(row.over, row.alerts - RAISED_AGAIN) + 1;
  const raising = Array.from({ length: Math.max(row.alerts - first + 1, 0) }, (_, i): Raising => ({
    no: first + i,
    at: row.raisedAt ?? 0,
    held: 0,
  }));
  return {
    ...row,
    senders: merged(row.senders, reported?.senders ?? {}),
    isKnown: true,
    raising: holds ? raising : [],
  };
}

/** Of each sender what is newer, with what was decided on before. */
function merged(
  left: RuleRow['senders'],
  reported: RuleRow['senders'],
): Record<string, SenderCount> {
  const senders: Record<string, SenderCount> = { ...left };
  for (const [name, sender] of Object.entries(reported)) {
    const before = left[name];
    if (before !== undefined && !isNewer(sender, before)) continue;
    const counted = Math.min(before?.counted ?? 0, sender.matches);
    senders[name] = { ...sender, counted };
  }
  return senders;
}
