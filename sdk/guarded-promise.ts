/**
 * A promise like the one a provider's client gives: what it answers, and the response beside it.
 * The clients' own helpers (`parse`, `stream`, `runTools`) ask for these methods.
 */

export interface Answered {
  readonly data: unknown;
  /** Absent for clients that do not show it. */
  readonly response?: unknown;
  readonly request_id?: unknown;
}

type Transform = (data: unknown, props: { readonly response: unknown }) => unknown;

export interface GuardedPromise extends Promise<unknown> {
  withResponse(): Promise<Answered>;
  /** Rejects: what a raw response bills can be read by one of two only. */
  asResponse(): Promise<never>;
  _thenUnwrap(transform: Transform): GuardedPromise;
}

export function guardedPromise(answered: Promise<Answered>): GuardedPromise {
  const data = answered.then((answer) => answer.data);
  // Who takes the answer by another door is told there that it failed.
  const byOtherDoor = (): Promise<Answered> => {
    data.catch(() => undefined);
    return answered;
  };
  return Object.assign(data, {
    withResponse: byOtherDoor,
    asResponse: () => {
      byOtherDoor().catch(() => undefined);
      const message = 'A guarded call reads its response itself: use withResponse() instead.';
      return Promise.reject(new TypeError(message));
    },
    _thenUnwrap: (transform: Transform) =>
      guardedPromise(
        byOtherDoor().then((answer) => ({
          ...answer,
          data: transform(answer.data, { response: answer.response }),
        })),
      ),
  });
}
