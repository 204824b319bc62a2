/**
 * The one loop that drives every machine (architecture.md §3). Handlers dispatch and return, so
 * nothing interleaves and no lock exists; effects run beside the loop and end in an event.
 *
 * S-1. Once rotation is wanted nothing new is started; what runs is waited for, what waits is
 *      carried, and the state is carried whole.
 * S-2. A timer is armed anew only when the due moment moves, and never for 0 ms.
 * S-3. A bug in `reduce` or `perform` fails the workflow task, visibly, and heals with the fix.
 */
import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { Machine } from '../domain/step.js';

export interface Carry<State, Effect> {
  readonly state: State;
  readonly outbox: readonly Effect[];
}

export type ShellEnd<State, Effect> =
  { readonly kind: 'settled' } | { readonly kind: 'rotate'; readonly carry: Carry<State, Effect> };

/** The one timer there is, and the moment it was started for. */
interface Timer {
  readonly due: number;
  readonly cancel: () => void;
}

export interface Shell<State, Event, Effect> {
  readonly state: () => State;
  readonly dispatch: (event: Event) => void;
  readonly run: () => Promise<ShellEnd<State, Effect>>;
}

export interface ShellPorts<State, Event, Effect> {
  /** Turns a failed activity into an event and rethrows everything else (S-3). */
  readonly perform: (effect: Effect) => Promise<Event>;
  readonly wantsRotation: () => boolean;
  /** Called after every change; for what people read in Temporal's UI. */
  readonly onChange: (state: State) => void;
  /** Says what the timer to `dueAt` waits for. */
  readonly timerSummary: (state: State) => string;
}

export function createShell<State, Event, Effect>(
  carried: Carry<State, Effect>,
  machine: Machine<State, Event, Effect>,
  ports: ShellPorts<State, Event, Effect>,
): Shell<State, Event, Effect> {
  let state = carried.state;
  const outbox = [...carried.outbox];
  let inFlight = 0;
  let broken: { readonly error: unknown } | undefined;
  let timer: Timer | undefined;

  const dispatch = (event: Event): void => {
    const [next, effects] = machine.reduce(state, event, Date.now());
    state = next;
    outbox.push(...effects);
    ports.onChange(state);
  };
  const start = (effect: Effect): void => {
    inFlight += 1;
    ports
      .perform(effect)
      .then((event) => {
        inFlight -= 1;
        dispatch(event);
      })
      // S-3. Thrown from the main function, so that the task fails and not an unseen promise.
      .catch((error: unknown) => {
        broken = { error };
      });
  };
  const ready = (): boolean => outbox.length > 0 && !ports.wantsRotation();
  const settled = (): boolean => inFlight === 0 && outbox.length === 0 && machine.isSettled(state);
  const rotates = (): boolean => inFlight === 0 && ports.wantsRotation();

  /** S-2. A wake that leaves the due moment where it is leaves its timer alone. */
  const rearm = (): void => {
    const due = machine.dueAt(state);
    if (timer?.due === due) return;
    timer?.cancel();
    timer = due === undefined ? undefined : startTimer(due);
  };
  const startTimer = (due: number): Timer => {
    const scope = new CancellationScope();
    const started: Timer = {
      due,
      cancel: () => {
        scope.cancel();
      },
    };
    const ms = Math.max(due - Date.now(), 1);
    scope
      .run(() => sleep(ms, { summary: ports.timerSummary(state) }))
      .then(() => {
        if (timer === started) timer = undefined;
        dispatch(machine.tick(Date.now()));
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) broken = { error };
      });
    return started;
  };

  async function run(): Promise<ShellEnd<State, Effect>> {
    for (;;) {
      if (broken !== undefined) throw broken.error;
      if (ready()) for (const effect of outbox.splice(0)) start(effect);
      if (settled()) return { kind: 'settled' };
      if (rotates()) return { kind: 'rotate', carry: { state, outbox } };
      rearm();
      await condition(
        () =>
          broken !== undefined ||
          ready() ||
          settled() ||
          rotates() ||
          machine.dueAt(state) !== timer?.due,
      );
    }
  }
  return { state: () => state, dispatch, run };
}
