/** When the demo kills what it shows: moments drawn from the seed, spread over the play. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from './random.js';

/** Not before anything was posted, and while there is still something to lose. */
const FROM = 0.1;
const TO = 0.9;

/** `count` moments in ms after the play's start, ascending, one in each equal part of it. */
export function drawKills(count: number, playMs: number, random: Random): readonly number[] {
  const part = (TO - FROM) / Math.max(count, 1);
  return Array.from({ length: count }, (_, index) =>
    Math.floor(playMs * (FROM + part * (index + random()))),
  );
}

export interface KillerOptions {
  /** Milliseconds after the play's start. */
  readonly moments: readonly number[];
  readonly startAt: number;
  /** Kills it and resolves when it serves again. */
  readonly kill: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Resolves when all kills are done; a kill waits for the restart after the one before. */
export async function runKiller({ moments, startAt, kill, signal }: KillerOptions): Promise<void> {
  for (const moment of moments) {
    const waitMs = startAt + moment - Date.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    signal.throwIfAborted();
    await kill();
  }
}
