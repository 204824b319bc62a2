/**
 * A15. Tells somebody else, again and again, that alerts are decided and sent: a watchdog that
 * hears nothing for a while wakes a person. What cannot run cannot say that it does not, so the
 * silence is the message.
 * DM-1. Silent whenever the ledger or Temporal is away, or periods wait too long to be told.
 * DM-2. The address is a credential: it is in no log.
 */
import type { Timers } from '../client/timers.js';

export interface DeadManSwitchOptions {
  /** Asked with GET; any answer will do. */
  readonly url: string;
  readonly everyMs: number;
  /** Whether alerts are decided and sent right now; a rejection is a no. */
  readonly isAlive: () => Promise<boolean>;
  readonly log: { warn(fields: object, message: string): void };
  readonly timers: Timers;
}

const TIMEOUT_MS = 10_000;

/** The first word comes at once. Stopping it waits for nothing. */
export function startDeadManSwitch(options: DeadManSwitchOptions): { stop(): void } {
  const { url, everyMs, isAlive, log, timers } = options;
  const ending = new AbortController();
  let isFailing = false;
  let cancel = (): void => undefined;
  const ping = async (): Promise<void> => {
    const alive = await isAlive().catch(() => false);
    if (!alive || ending.signal.aborted) return;
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const answer = await fetch(url, { signal, redirect: 'manual' });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`it answers HTTP ${String(answer.status)}`);
  };
  const round = async (): Promise<void> => {
    try {
      await ping();
      isFailing = false;
    } catch (error) {
      if (!isFailing && !ending.signal.aborted) {
        log.warn(
          { reason: reasonOf(error) },
          'the dead man’s switch is not reached; is its address right?',
        );
      }
      isFailing = true;
    }
    if (!ending.signal.aborted) cancel = timers.after(everyMs, () => void round());
  };
  void round();
  return {
    stop: () => {
      ending.abort();
      cancel();
    },
  };
}

/** Without what `fetch` says of the address. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  return error.name === 'TimeoutError'
    ? 'no answer in time'
    : /^it answers/.test(error.message)
      ? error.message
      : error.name;
}
