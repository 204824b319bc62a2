/** What follows from a state, whatever changed it: every event ends here. */
import type { Clock } from './clock.js';
import type { HolderEffect } from './events.js';
import { writeJournal } from './journal.js';
import { planRequest } from './plan.js';
import { sendRequest } from './requests.js';
import { serveWaiting } from './serve.js';
import type { HolderState } from './state.js';
import { turn } from './turn.js';

export function run(
  before: HolderState,
  clock: Clock,
  out: HolderEffect[] = [],
): { readonly state: HolderState; readonly effects: readonly HolderEffect[] } {
  let state = turn(before, clock);
  state = serveWaiting(state, clock, out);
  state = planRequest(state, clock);
  state = writeJournal(state, out);
  state = sendRequest(state, clock, out);
  return { state, effects: out };
}
