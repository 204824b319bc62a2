/**
 * The one shape every rule machine has: decide purely, act at the rim.
 * `reduce` is given what happened and when, and answers the next state and what is to be done.
 * State is plain JSON (no Map, Set, Date or class), so that it survives a rotation whole.
 */

/** What `reduce` answers: the next state, and the effects somebody else performs, in order. */
export type Step<State, Effect> = readonly [State, readonly Effect[]];

/** A pure machine. `now` is always epoch milliseconds and is the only clock it sees. */
export interface Machine<State, Event, Effect> {
  reduce(state: State, event: Event, now: number): Step<State, Effect>;
  /** The next moment at which time alone changes something, or undefined. */
  dueAt(state: State): number | undefined;
  /** The event that says that time has passed. */
  tick(now: number): Event;
  /** True when nothing is left to do and nothing is waited for. */
  isSettled(state: State): boolean;
}

/** Ends an exhaustive `switch`: a variant that was forgotten does not compile. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected variant: ${JSON.stringify(value)}`);
}
