/**
 * Admission by a gateway: calls are admitted from a lease in memory, reported as usage, and held
 * back by what the gateway says (L1 to L6, K1, K2).
 *
 * AD-1. `admit` never throws and never hangs: every wait in it has an end.
 * AD-2. The first call waits up to 2 s for the first sync, so that a Stop or kill that stands is
 *       seen before it (spec §7). With a `block` budget nothing is granted before the gateway has
 *       taken the configuration; without one calls go on meanwhile.
 * AD-3. A call is settled once, and its event carries the lease it was admitted under.
 */
import type { Admission } from '../admission.js';
import { startEngine } from './engine.js';
import type { LeasedAdmissionOptions } from './options.js';
import { refusalOf } from './refusals.js';
import type { Amounts } from '../../domain/lease/amounts.js';
import type { Admitted, Refusal, Reservation } from '../admission.js';

export type { LeasedAdmissionOptions } from './options.js';

/** Starts at once; whatever fails is told by refusals, status and the log. */
export function createLeasedAdmission(options: LeasedAdmissionOptions): Admission {
  const { agentName: agent, hasBlockBudget } = options;
  const engine = startEngine(options);
  const { standing } = engine;
  let isReady = false;
  void engine.ready.then(() => {
    isReady = true;
  });

  const refused = (refusal: Refusal): Admitted => ({ type: 'refused', refusal });
  const closed = (): Admitted => refused(refusalOf(agent, { why: 'closed' }));

  const admitted = (worst: Amounts, lease: string | undefined): Admitted => {
    let isOver = false;
    const once = (end: () => void): void => {
      if (isOver) return;
      isOver = true;
      end();
    };
    const call = lease === undefined ? undefined : { lease, worst };
    const reservation: Reservation = {
      settle: (actual, report) => {
        once(() => {
          engine.settle(call, actual, report);
        });
      },
      release: () => {
        once(() => {
          engine.release(call);
        });
      },
    };
    return { type: 'admitted', reservation };
  };

  const decide = (worst: Amounts, signal?: AbortSignal): Admitted | Promise<Admitted> => {
    if (engine.isClosed()) return closed();
    const held = standing.held();
    if (held !== undefined) return refused(held);
    const runner = engine.runner();
    const reserved = runner?.tryReserve(worst);
    if (reserved !== undefined) return admitted(worst, reserved.lease);
    if (!hasBlockBudget && !engine.isLimited()) {
      // Nothing is known to limit it: whether something does is asked beside the call.
      engine.probe(worst);
      return admitted(worst, undefined);
    }
    return ask(worst, signal);
  };

  const ask = async (worst: Amounts, signal?: AbortSignal): Promise<Admitted> => {
    const leave = await engine.runner()?.want(worst, signal);
    if (leave === undefined) return closed();
    if (leave.type === 'admitted') return admitted(worst, leave.lease);
    const refusal = refusalOf(agent, leave.refusal);
    if (refusal.why === 'killed' || refusal.why === 'stopped') standing.leaseRefused(refusal);
    return refused(standing.held() ?? refusal);
  };

  return {
    admit: (worst, signal) => {
      if (isReady || engine.isClosed()) return decide(worst, signal);
      return engine.whileHeld(engine.ready.then(() => decide(worst, signal)));
    },
    report: (_actual, report) => {
      engine.report(report);
    },
    status: () => engine.status(),
    onRefusal: (tell) => {
      standing.onRefusal(tell);
    },
    onLifted: (tell) => {
      standing.onLifted(tell);
    },
    close: (timeoutMs) => engine.close(timeoutMs),
  };
}
