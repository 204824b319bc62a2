/** Waiting for a child to be ready, without ever hanging on one that cannot be any more. */
import type { GuardedChild } from './guarded-child.js';
import { lastLines } from './log-file.js';

export interface StartUp {
  /** Who starts, as an error begins: `The ledger`. */
  readonly what: string;
  readonly child: GuardedChild;
  readonly logFile: string;
  readonly signal: AbortSignal | undefined;
  readonly withinMs: number;
}

/**
 * Resolves with what `ready` resolves with. Throws when the child ends first, when `withinMs` have
 * passed (both name the log file) or when the signal aborts (its reason). `over` aborts in any
 * case, so that `ready` can let go of what it opened.
 */
export async function untilReady<T>(
  startUp: StartUp,
  ready: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  const { what, child, logFile, signal, withinMs } = startUp;
  const over = new AbortController();
  const failed = new Promise<never>((_, reject) => {
    const fail = (text: string) => {
      reject(new Error(`${what} ${text}; its log is ${logFile}${lastLines(logFile)}`));
    };
    const timer = setTimeout(() => {
      fail(`was not ready within ${String(withinMs / 1000)} s`);
    }, withinMs);
    over.signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
    void child.exited.then((exit) => {
      fail(`ended during its start (${String(exit.code ?? exit.signal)})`);
    });
    const onAbort = () => {
      reject(signal?.reason as Error);
    };
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { signal: over.signal });
  });
  try {
    return await Promise.race([ready(over.signal), failed]);
  } finally {
    over.abort();
  }
}
