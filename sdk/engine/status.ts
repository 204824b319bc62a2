/** What a guard knows of itself, for its author: as of the last answers, and its own calls. */
import type { LeaseBudget } from '../../domain/lease/lease.js';
import type { AdmissionStatus } from '../admission.js';
import type { EventSender } from './event-sender.js';
import type { LeaseRunner } from './lease-runner.js';

export interface StatusSources {
  readonly sender: Pick<EventSender, 'waiting' | 'isConnected'>;
  readonly runner: Pick<LeaseRunner, 'budgets' | 'held'> | undefined;
  /** The live channel. */
  readonly isOpen: boolean;
}

export function statusOf({ sender, runner, isOpen }: StatusSources): AdmissionStatus {
  const tightest = tightestOf(runner?.budgets() ?? []);
  const held = runner?.held();
  return {
    ...(tightest === undefined
      ? {}
      : { spent: tightest.spent, remaining: Math.max(tightest.limit - tightest.spent, 0) }),
    waiting: sender.waiting(),
    ...(held === undefined ? {} : { held }),
    connected: isOpen || sender.isConnected(),
  };
}

function tightestOf(budgets: readonly LeaseBudget[]): LeaseBudget | undefined {
  return budgets
    .filter(({ dimension }) => dimension === 'cost')
    .sort((a, b) => a.limit - a.spent - (b.limit - b.spent))[0];
}
