/**
 * SIGINT and SIGTERM for a process with something to close. The first asks for an orderly stop;
 * the second is a person who has had enough: the process ends at once, and children with it.
 */

export interface StopSignals {
  /** Aborts at the first signal; its reason is an Interruption. */
  readonly signal: AbortSignal;
  /** As if a signal had come. */
  interrupt(name: NodeJS.Signals): void;
  release(): void;
}

/** What a start that was broken off by a signal rejects with. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  constructor(readonly by: NodeJS.Signals) {
    super(`interrupted by ${by}`);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 2, SIGTERM: 15 };

/** What a shell expects of a process that a signal has ended. */
export function exitCodeOf(name: NodeJS.Signals): number {
  return 128 + (NUMBERS[name] ?? 1);
}

export function watchStopSignals(): StopSignals {
  const stopping = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(exitCodeOf(name));
    stopping.abort(new Interruption(name));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  return {
    signal: stopping.signal,
    interrupt,
    release: () => {
      for (const name of SIGNALS) process.off(name, interrupt);
    },
  };
}
