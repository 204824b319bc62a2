/**
 * A rule machine in this process: what its effects come to is its next event, and time is told to
 * it by one timer.
 * DR-1. Events are taken one after the other: what an effect sets off at once waits its turn.
 * DR-2. A timer is never set for long: a machine that slept, or a clock that was set, is noticed.
 */
import type { Machine } from '../../domain/step.js';
import type { Clock, Timers } from '../engine/surroundings.js';

export interface Driven<State, Event> {
  readonly state: () => State;
  tell(event: Event): void;
  /** Lets it notice what time alone has changed. */
  look(): void;
  /** It hears no more of time. */
  stop(): void;
}

export interface Rim<Event, Effect> {
  readonly clock: Pick<Clock, 'wall'>;
  readonly timers: Pick<Timers, 'after'>;
  readonly perform: (effect: Effect, tell: (event: Event) => void) => void;
  /** Something was heard, and all that followed at once is done. */
  readonly onChange?: () => void;
}

const LONGEST_WAIT_MS = 30_000;

export function driveMachine<State, Event, Effect>(
  machine: Machine<State, Event, Effect>,
  begun: State,
  { clock, timers, perform, onChange }: Rim<Event, Effect>,
): Driven<State, Event> {
  const heard: Event[] = [];
  let state = begun;
  let isBusy = false;
  let isStopped = false;
  let disarm: () => void = () => undefined;

  function tell(event: Event): void {
    heard.push(event);
    if (isBusy) return;
    isBusy = true;
    for (let next = heard.shift(); next !== undefined; next = heard.shift()) {
      const [after, effects] = machine.reduce(state, next, clock.wall());
      state = after;
      for (const effect of effects) perform(effect, tell);
    }
    isBusy = false;
    arm();
    onChange?.();
  }

  function arm(): void {
    disarm();
    const due = isStopped ? undefined : machine.dueAt(state);
    if (due === undefined) return;
    const wait = Math.min(Math.max(due - clock.wall(), 0), LONGEST_WAIT_MS);
    disarm = timers.after(wait, look);
  }

  function look(): void {
    const due = machine.dueAt(state);
    if (due !== undefined && due <= clock.wall()) tell(machine.tick(clock.wall()));
    else arm();
  }

  return {
    state: () => state,
    tell,
    look,
    stop() {
      isStopped = true;
      disarm();
    },
  };
}
