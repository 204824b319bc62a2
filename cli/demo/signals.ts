/**
 * SIGINT and SIGTERM as one abort, so that whatever is under way is broken off in order. Unlike
 * `kavach up` a second signal changes nothing: npm and tsx pass a Ctrl-C on that the terminal has
 * already told us, and a folder would be left behind.
 */
import { exitCodeOf } from '../stop-signals.js';

export interface Signals {
  readonly signal: AbortSignal;
  /** 130 or 143 once one of them has come. */
  exitCode(): number | undefined;
  unwatch(): void;
}

export function watchSignals(): Signals {
  const controller = new AbortController();
  let code: number | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    code ??= exitCodeOf(name);
    controller.abort(new Error(`Interrupted by ${name}`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    exitCode: () => code,
    unwatch: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
