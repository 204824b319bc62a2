/** Calls that wait for what others hold: first come, first served; what fits may pass what does not. */
import type { Amounts } from '../../domain/lease/amounts.js';
import type { Admitted, Refusal } from '../admission.js';
import type { Timers } from '../engine/surroundings.js';

export interface Queue {
  size(): number;
  /** `refusal`: what it hears when nothing comes back in time. */
  wait(call: {
    readonly worst: Amounts;
    readonly refusal: Refusal;
    readonly signal?: AbortSignal;
  }): Promise<Admitted>;
  /** Asks for each that waits; undefined: it waits on. */
  serve(decide: (worst: Amounts) => Admitted | undefined): void;
}

interface Waiting {
  readonly worst: Amounts;
  readonly end: (admitted: Admitted) => void;
}

export function createQueue(timers: Timers, waitMs: number): Queue {
  const waiting = new Set<Waiting>();
  return {
    size: () => waiting.size,
    wait: ({ worst, refusal, signal }) =>
      new Promise((resolve) => {
        const refused: Admitted = { type: 'refused', refusal };
        if (signal?.aborted === true) {
          resolve(refused);
          return;
        }
        // Somebody waits for us: his process must not end before he is answered.
        const release = timers.hold();
        const giveUp = (): void => {
          call.end(refused);
        };
        const call: Waiting = {
          worst,
          end(admitted) {
            waiting.delete(call);
            disarm();
            release();
            signal?.removeEventListener('abort', giveUp);
            resolve(admitted);
          },
        };
        const disarm = timers.after(waitMs, giveUp);
        signal?.addEventListener('abort', giveUp, { once: true });
        waiting.add(call);
      }),
    serve(decide) {
      for (const call of [...waiting]) {
        const admitted = decide(call.worst);
        if (admitted !== undefined) call.end(admitted);
      }
    },
  };
}
