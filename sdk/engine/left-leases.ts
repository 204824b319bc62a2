/** HO-2. Leases of processes whose slot nobody has taken up: each is ended by its own holder's id. */
import type { HolderPolicy } from '../../domain/lease/policy.js';
import { recoverHolder } from '../../domain/lease/recover.js';
import type { LeftSlot } from './home.js';
import { createLeaseRunner, type LeaseRunnerOptions } from './lease-runner.js';

export interface LeftLeases {
  /** What is not ended by now is the next start's. */
  stop(): void;
}

export interface LeftLeasesOptions extends Omit<
  LeaseRunnerOptions,
  'begin' | 'journal' | 'onAnswer'
> {
  readonly agentName: string;
  readonly policy: HolderPolicy;
}

export function endLeftLeases(
  slots: readonly LeftSlot[],
  { agentName: agent, policy, ...machine }: LeftLeasesOptions,
): LeftLeases {
  const stops = slots.map((slot) => {
    const { record, journal } = slot;
    const begin = recoverHolder({ holder: record.holder, agent, policy }, record);
    const runner = createLeaseRunner({ ...machine, begin, journal, onAnswer: () => undefined });
    const stop = once(() => {
      runner.stop();
      void slot.release().catch(() => undefined);
    });
    void runner.end().then(stop);
    return stop;
  });
  return {
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
