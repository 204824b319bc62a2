/** Answers that say no: problem+json (RFC 9457) with the path of the fault (spec §8). */

export interface ProblemInit {
  readonly status:
    400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 426 | 429 | 431 | 500 | 503;
  readonly title: string;
  readonly detail: string;
  /** Where in the input the fault is: `budgets[0].limit_value`. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Thrown by routes, turned into a response in one place. */
export class Problem extends Error {
  override name = 'Problem' as const;
  constructor(
    readonly init: ProblemInit,
    options?: ErrorOptions,
  ) {
    super(init.detail, options);
  }
}

/** The response of a problem. `requestId` is what to ask the operator about. */
export function problemResponse(init: ProblemInit, requestId: string): Response {
  const { status, title, detail, path, headers, more } = init;
  const body = {
    type: 'about:blank',
    title,
    status,
    detail,
    ...(path === undefined ? {} : { path }),
    ...more,
    request_id: requestId,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}

/**
 * The ledger is in trouble, or we are. For usage it must be a 429 without a reason: the Python
 * SDK keeps its events then, and drops them on any other status.
 */
export function tryAgainLater(retryAfterS: number): ProblemInit {
  return {
    status: 429,
    title: 'Try again later',
    detail: `It cannot be taken right now. Nothing of it is lost if you send it again in ${String(retryAfterS)} s.`,
    headers: { 'retry-after': String(retryAfterS) },
  };
}
