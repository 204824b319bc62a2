/** The relay of one row: relay/plan.ts decides, the rest follows relay/deliver.ts, synchronously. */
import type { Policy } from '../../domain/alert/policy.js';
import type { ThresholdAlert } from '../../domain/alert/state.js';
import type { PeriodRow } from '../../domain/budget/input.js';
import { evaluateLate } from '../../domain/budget/late.js';
import type { Report } from '../../domain/budget/report.js';
import type { ClaimedPeriod } from '../../ledger/ledger.js';
import { planOf, reportOf, rowOf } from '../../relay/plan.js';
import { copy, type Chaos } from './chaos.js';
import type { Dice } from './dice.js';
import * as book from './period-row.js';
import type { VirtualClock } from './virtual-clock.js';

const LEASE_MS = 5_000;
const INTERVAL_MS = 10_000;

export interface RelayPorts {
  readonly row: book.Row;
  readonly policy: Policy;
  readonly chaos: Chaos;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  /** Signal, or signal-with-start. */
  tell(row: PeriodRow, report: Report): 'delivered' | 'already_ended';
  /** The same signal once more, late. */
  repeat(report: Report): void;
  startAlert(input: ThresholdAlert): void;
}

/** Answers what wakes it: to be called whenever the row has changed. */
export function createRowRelay(ports: RelayPorts): () => void {
  const { row, policy, chaos, clock, dice } = ports;
  const outbox: ThresholdAlert[] = [];
  let wakesAt = Number.POSITIVE_INFINITY;

  const wakeAt = (at: number): void => {
    if (at >= wakesAt) return;
    wakesAt = at;
    clock.after(at - clock.now(), () => {
      if (wakesAt !== at) return;
      wakesAt = Number.POSITIVE_INFINITY;
      relay();
    });
  };

  const wake = (): void => {
    const { dueAt, leaseUntil } = row;
    if (outbox.length === 0 && dueAt === undefined) return;
    const at = outbox.length > 0 ? 0 : Math.max(dueAt ?? 0, leaseUntil);
    wakeAt(Math.max(at, clock.now()) + dice.between(1, 200));
  };

  const relay = (): void => {
    if (chaos.ledgerAway) {
      wakeAt(clock.now() + 1_000);
      return;
    }
    if (!chaos.temporalAway) for (const input of outbox.splice(0)) ports.startAlert(copy(input));
    const claim = book.claim(row, clock.now(), LEASE_MS);
    // The relay that held it is gone: its lease has to run out.
    if (claim !== undefined && !chaos.trouble(0.05)) act(claim);
    if (outbox.length > 0) wakeAt(clock.now() + 1_000);
    else wake();
  };

  const act = (claim: ClaimedPeriod): void => {
    switch (planOf(claim)) {
      case 'report':
        report(claim);
        break;
      case 'none':
        answer(() => {
          book.reported(row, claim, clock.now(), INTERVAL_MS, claim.started);
        });
        break;
      case 'close':
        close(claim);
        break;
      case 'late': {
        const verdict = evaluateLate({ ...rowOf(claim), own: claim.own }, policy, clock.now());
        answer(() => {
          if (book.recordLate(row, claim, verdict, clock.now()) && verdict.alert !== undefined) {
            outbox.push(verdict.alert);
          }
        });
        break;
      }
    }
  };

  const report = (claim: ClaimedPeriod): void => {
    const begun = rowOf(claim);
    clock.after(chaos.delay(), () => {
      if (chaos.temporalAway) {
        answer(() => {
          book.failed(row, claim, clock.now(), 1_000);
        });
        return;
      }
      if (chaos.trouble(0.05)) {
        answer(() => {
          book.failed(row, claim, clock.now(), 1_000);
        });
        return;
      }
      const told = ports.tell(begun, reportOf(claim));
      if (chaos.trouble(0.1))
        clock.after(dice.between(1, 60_000), () => {
          ports.repeat(reportOf(claim));
        });
      if (chaos.trouble(0.1)) {
        // It arrived, and nobody knows: told again.
        answer(() => {
          book.failed(row, claim, clock.now(), 1_000);
        });
      } else if (told === 'already_ended') close(claim);
      else {
        answer(() => {
          book.reported(row, claim, clock.now(), INTERVAL_MS, true);
        });
      }
    });
  };

  const close = (claim: ClaimedPeriod): void => {
    const verdict = evaluateLate({ ...rowOf(claim), own: claim.own }, policy, clock.now());
    answer(() => {
      book.closeRow(row, claim, verdict.alert === undefined ? claim.seq : 0, clock.now());
    });
  };

  /** A write of the relay: lost with a ledger that is away, the lease then does the rest. */
  const answer = (write: () => void): void => {
    clock.after(chaos.healed ? 1 : dice.between(1, 300), () => {
      if (!chaos.ledgerAway && !chaos.trouble(0.03)) write();
      wake();
    });
  };

  wake();
  return wake;
}
