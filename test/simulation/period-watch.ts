/**
 * Watches over one period in its world.
 *
 * What holds after every step
 * - a period's totals are the sum of the highest report of each sender (T2, B5);
 * - a kill is lifted by a raise only (K1, K4), in the workflow and in the row over all its lives;
 * - an alert that kills starts after the row said so (K3);
 * - nothing is sent after a person's word (A8).
 * What holds at the end
 * - each (dimension, threshold, channel, limit value) was told at most once over all lives, and
 *   what is reached was told; what the row says fired has its alert;
 * - everything has ended, and the row says what the workflow said.
 */
import type { ThresholdAlert, AlertState } from '../../domain/alert/state.js';
import { hasEnded } from '../../domain/alert/result.js';
import { LEDGER, type BudgetState, type SenderTotals } from '../../domain/budget/state.js';
import { sumOf } from '../../domain/budget/sum.js';
import { thresholdAmount } from '../../domain/ratio.js';
import type { Dimension } from '../../domain/words.js';
import type { Row } from './period-row.js';
import { firingOf } from './period-providers.js';
import type { PeriodWorld, Watch } from './period-world.js';
import type { VirtualClock } from './virtual-clock.js';

export function createWatcher(
  worldOf: () => PeriodWorld,
  clock: VirtualClock,
): Watch & { atTheEnd(): void } {
  let known: Record<string, SenderTotals> = {};
  const killedAt: number[] = [];
  const inputs = new Map<string, ThresholdAlert>();

  const totalsHold = (state: BudgetState): void => {
    const { totals } = sumOf(Object.values(state.senders));
    const wanted = sumOf(Object.values(known)).totals;
    if (
      totals.cost !== wanted.cost ||
      totals.tokens !== wanted.tokens ||
      totals.calls !== wanted.calls
    ) {
      throw new Error(`B5: totals ${JSON.stringify(totals)}, sent ${JSON.stringify(wanted)}`);
    }
  };

  return {
    onLife: (state) => {
      known = { ...state.senders };
    },
    onPeriodStep: (before, event, after) => {
      if (event.type === 'opened') known = newest(event.row.senders, known);
      if (event.type === 'reported' && isTaken(before)) {
        const { sender, epoch, seq, cost, tokens, calls } = event.report;
        known = newest(known, { [sender]: { epoch, seq, totals: { cost, tokens, calls } } });
      }
      totalsHold(after);
      if (before.killed !== undefined && after.killed === undefined && event.type !== 'opened') {
        if (after.limits.rev <= before.limits.rev)
          throw new Error('K1: a kill went away by itself');
      }
    },
    onAlert: (input) => {
      if (input.kind !== 'threshold') throw new Error(`${input.id} is no crossing`);
      inputs.set(input.id, input);
      if (input.facts.late === true) {
        if (input.facts.kills === true) throw new Error('B4: a late crossing killed');
        return;
      }
      const { facts } = input;
      // K4. A raise may have lifted the kill before the row could say it.
      const isLifted = worldOf().row.appliedRev > input.firing.limitsRev;
      if (facts.kills === true && !isLifted && !killedAt.some((at) => at >= facts.at)) {
        throw new Error(`K3: ${input.id} kills, and the row does not say so`);
      }
    },
    onSend: (alert, { delivery }) => {
      if (delivery.purpose === 'fire' && hasPersonsWord(alert)) {
        throw new Error(`A8: ${delivery.id} is sent after a person's word`);
      }
    },
    onPublish: (before, after) => {
      if (after.killed !== undefined) killedAt.push(clock.now());
      const wasRaised = after.appliedRev > before.appliedRev;
      if (before.killed !== undefined && after.killed === undefined && !wasRaised) {
        throw new Error('K1: a publish took a kill from the row');
      }
    },
    atTheEnd: () => {
      const world = worldOf();
      endedAll(world);
      toldOnce(world);
      if (!world.forgotFirings) toldWhatIsReached(world, inputs);
      rowSaysWhatWorkflowSaid(world);
    },
  };
}

function newest(
  known: Record<string, SenderTotals>,
  told: Record<string, SenderTotals>,
): Record<string, SenderTotals> {
  const next = { ...known };
  for (const [name, sender] of Object.entries(told)) {
    const last = next[name];
    const [epoch, seq] = [last?.epoch ?? -1, last?.seq ?? -1];
    if (sender.epoch > epoch || (sender.epoch === epoch && sender.seq > seq)) next[name] = sender;
  }
  return next;
}

const isTaken = ({ phase }: BudgetState): boolean => phase === 'open' || phase === 'opening';

function hasPersonsWord({ acknowledged, resolved }: AlertState): boolean {
  return acknowledged !== undefined || resolved?.by === 'ana';
}

function endedAll({ alerts, row, period, forgotFirings }: PeriodWorld): void {
  const phase = period()?.phase();
  if (phase === 'running') throw new Error(`T7: the workflow is still there: ${show(period())}`);
  if (row.state !== 'closed' || row.dueAt !== undefined) {
    throw new Error(`T7: the row is ${row.state}, due at ${String(row.dueAt)}`);
  }
  for (const [id, alert] of alerts) {
    const state = alert.state();
    for (const delivery of state.deliveries) {
      if (!hasEnded(delivery)) throw new Error(`A1: ${delivery.id} has not ended`);
    }
    if (state.unwritten.length > 0) throw new Error(`A10: ${id} has unwritten entries`);
    if (alert.phase() !== 'ended' && !forgotFirings)
      throw new Error(`A1: ${id} has not ended, ${state.phase}`);
  }
}

function toldOnce({ arrivals }: PeriodWorld): void {
  const holder = new Map<string, string>();
  for (const { firing, deliveryId, purpose } of arrivals) {
    if (purpose !== 'fire') continue;
    const first = holder.get(firing) ?? deliveryId;
    if (first !== deliveryId) throw new Error(`T2: ${firing} told by ${first} and ${deliveryId}`);
    holder.set(firing, first);
  }
}

function toldWhatIsReached(
  { row, alerts }: PeriodWorld,
  inputs: Map<string, ThresholdAlert>,
): void {
  const decided = new Set<string>();
  const late = new Set<string>();
  for (const input of inputs.values()) {
    for (const { channel } of input.routes) {
      decided.add(firingOf(input, channel));
      if (input.facts.late === true) late.add(channel);
    }
    if (!alerts.has(input.id)) throw new Error(`A1: ${input.id} was never begun`);
  }
  for (const limit of row.limits.limits) {
    for (const { bps, routes } of limit.thresholds) {
      for (const { channel } of routes) {
        const name = `${limit.dimension}/${String(bps)}/${channel}`;
        const latch = row.latches[name];
        // T5. One that the end of the period found in its cooldown is not told.
        const isHeld = latch?.reached === undefined && latch?.quietUntil !== undefined;
        const isReached = spentOf(row, limit.dimension) >= thresholdAmount(limit.amount, bps);
        if (isReached && !isHeld && latch === undefined)
          throw new Error(`T2: ${name} was never told`);
      }
    }
  }
  for (const [name, { fired }] of Object.entries(row.latches)) {
    const channel = name.split('/').at(-1)!;
    if (channel === 'kill') continue;
    for (const value of fired) {
      if (decided.has(`${name}/${String(value)}`) || late.has(channel)) continue;
      throw new Error(`T2: ${name} of ${String(value)} is latched, and has no alert`);
    }
  }
}

function spentOf(row: Row, dimension: Dimension): number {
  const { own, direct } = row;
  if (dimension === 'cost') return own.cost + direct.cost;
  if (dimension === 'tokens_total') return own.tokens + direct.tokens;
  if (dimension === 'calls') return own.calls + direct.calls;
  return (own.lastAt ?? 0) - Math.min(own.firstAt ?? 0, row.run?.startedAt ?? own.firstAt ?? 0);
}

/** What came after the end is the row's alone. */
function rowSaysWhatWorkflowSaid({ row, period }: PeriodWorld): void {
  const state = period()?.state();
  if (state === undefined || period()?.phase() !== 'ended') return;
  const { [LEDGER]: _own, ...direct } = state.senders;
  if (show(row.senders) !== show(direct)) throw new Error('L-3: the row missed direct senders');
  if (show(row.killed) !== show(state.killed)) throw new Error('K3: the row missed a kill');
  for (const [name, latch] of Object.entries(state.latches)) {
    const missed = latch.fired.filter((value) => row.latches[name]?.fired.includes(value) !== true);
    if (missed.length > 0) throw new Error(`T2: the row missed that ${name} fired`);
  }
}

const show = (value: unknown): string => JSON.stringify(value);
