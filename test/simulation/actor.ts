/**
 * A machine driven as workflows/shell.ts drives it, on a virtual clock: effects run beside it and
 * end in an event, a rotation waits for what runs and carries everything through JSON, a timer
 * waits for `dueAt`. Fails as soon as a timer would spin.
 */
import type { Machine } from '../../domain/step.js';
import type { VirtualClock } from './virtual-clock.js';

export interface Actor<State, Event> {
  state(): State;
  dispatch(event: Event): void;
  /** Lost without a word: nothing it began comes back to it. */
  lose(): void;
  /** `ending`: nothing is left to do, but a message may still reach it. */
  phase(): 'running' | 'ending' | 'ended' | 'lost';
}

export interface ActorPorts<State, Event, Effect> {
  readonly clock: VirtualClock;
  readonly perform: (effect: Effect, done: (event: Event) => void) => void;
  /** Asked after every event. */
  readonly rotates: () => boolean;
  /** How late a timer fires, ms. */
  readonly lateness: () => number;
  readonly onStep: (before: State, event: Event, after: State) => void;
}

export function createActor<State, Event, Effect>(
  machine: Machine<State, Event, Effect>,
  begin: State,
  ports: ActorPorts<State, Event, Effect>,
): Actor<State, Event> {
  const { clock } = ports;
  let state = begin;
  let outbox: Effect[] = [];
  let inFlight = 0;
  let phase: 'running' | 'ending' | 'ended' | 'lost' = 'running';
  let wantsRotation = false;
  let armed: { readonly due: number } | undefined;

  const dispatch = (event: Event): void => {
    if (phase === 'lost' || phase === 'ended') return;
    const before = state;
    const [next, effects] = machine.reduce(state, event, clock.now());
    state = next;
    outbox.push(...effects);
    wantsRotation ||= ports.rotates();
    ports.onStep(before, event, state);
    proceed();
  };

  const start = (effect: Effect): void => {
    inFlight += 1;
    let over = false;
    ports.perform(effect, (event) => {
      if (over) throw new Error('an effect ended twice');
      over = true;
      if (phase === 'lost') return;
      inFlight -= 1;
      dispatch(event);
    });
  };

  const proceed = (): void => {
    if (phase !== 'running') return;
    if (!wantsRotation) for (const effect of outbox.splice(0)) start(effect);
    if (inFlight === 0 && outbox.length === 0 && machine.isSettled(state)) {
      phase = 'ending';
      clock.after(20, () => {
        if (phase === 'ending') phase = 'ended';
      });
      return;
    }
    if (inFlight === 0 && wantsRotation) {
      const carry = JSON.parse(JSON.stringify({ state, outbox })) as {
        state: State;
        outbox: Effect[];
      };
      state = carry.state;
      outbox = carry.outbox;
      wantsRotation = false;
      armed = undefined;
      proceed();
      return;
    }
    arm();
  };

  const arm = (): void => {
    const due = machine.dueAt(state);
    if (due === armed?.due) return;
    if (due === undefined) {
      armed = undefined;
      return;
    }
    const timer = { due };
    armed = timer;
    clock.after(Math.max(due - clock.now(), 1) + ports.lateness(), () => {
      if (armed !== timer || phase !== 'running') return;
      armed = undefined;
      dispatch(machine.tick(clock.now()));
      const next = machine.dueAt(state);
      if (next !== undefined && next <= clock.now()) {
        throw new Error(`a timer spins: due at ${String(next)}, already past after its tick`);
      }
    });
  };

  return {
    state: () => state,
    dispatch,
    lose: () => {
      if (phase === 'running') phase = 'lost';
    },
    phase: () => phase,
  };
}
