/**
 * C1. What of an operator's layer has an end ends at it, with nobody asking: a timer set to the next
 * end, and a look once a second for ends that other gateways were told. Every gateway has one, and
 * none needs Temporal; batches that come first do not wait for it (scopes.ts).
 */
import type { Gateway } from './options.js';

const LOOK_MS = 1_000;
/** The clock that counts may run behind the timer's. */
const LEAST_MS = 5;

export interface LayerEnds {
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

export function watchLayerEnds({
  ledger,
  log,
  now,
}: Pick<Gateway, 'ledger' | 'log' | 'now'>): LayerEnds {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isFailing = false;
  let looking = Promise.resolve();
  const look = async (): Promise<void> => {
    let waitMs = LOOK_MS;
    try {
      const { ended, nextAt = Infinity } = await ledger.endLayers(now());
      if (ended > 0) log.info({ ended }, 'limits or raises have ended');
      waitMs = Math.max(LEAST_MS, Math.min(LOOK_MS, nextAt - now()));
      isFailing = false;
    } catch (error) {
      // Told once: the ledger's trouble is in every other line, too.
      if (!isFailing) log.warn({ cause: String(error) }, 'ends of limits cannot be written');
      isFailing = true;
    }
    next(waitMs);
  };
  const next = (ms: number): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      looking = look();
    }, ms);
    timer.unref();
  };
  next(LEAST_MS);
  return {
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      return looking;
    },
  };
}
