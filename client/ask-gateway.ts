/** One question to a gateway about an agent, for whoever reports to Temporal directly. */

export interface AskGatewayOptions {
  /** Of the gateway: `https://kavach.example`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly agent: string;
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

export interface GatewayQuestion<T> {
  /** `/v1/periods`, and what it is asked with beside the agent. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** `periods`, for people. */
  readonly what: string;
  /** The form that is expected, for people, and what reads it: undefined for any other. */
  readonly form: string;
  readonly read: (answer: unknown) => T | undefined;
}

/** Answers how to ask it. That rejects with the agent, the cause and the status. */
export function askGateway<T>(
  options: AskGatewayOptions,
  { path, query = {}, what, form, read }: GatewayQuestion<T>,
): () => Promise<T> {
  const url = new URL(path, options.baseUrl);
  for (const [name, value] of Object.entries({ agent: options.agent, ...query })) {
    url.searchParams.set(name, value);
  }
  const failed = (why: string, cause?: unknown): Error =>
    new Error(`The ${what} of ${options.agent} could not be read from ${url.origin}: ${why}.`, {
      cause,
    });
  return async () => {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(url, {
        headers: { authorization: `Bearer ${options.apiKey}`, accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(options.timeoutMs ?? 5_000),
      });
      answer = await response.json();
    } catch (error) {
      throw failed(error instanceof Error ? error.message : 'no answer', error);
    }
    if (response.status === 401) throw failed('the API key is not accepted');
    if (!response.ok) throw failed(`HTTP ${String(response.status)}`);
    const found = read(answer);
    if (found === undefined) throw failed(`expected ${form}`);
    return found;
  };
}
