/** A guard's end of GET /v1/guard: what it has heard so far. */
import { onTestFinished } from 'vitest';

export interface HeardEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface GuardClient {
  readonly status: number;
  readonly headers: Headers;
  readonly heard: HeardEvent[];
  readonly of: (event: string) => unknown[];
  comments: number;
  /** How the stream ended. */
  end: 'in order' | 'broken off' | undefined;
  close(): void;
}

/** Ends with the test that opened it. */
export async function openGuard(url: string, query: string, key: string): Promise<GuardClient> {
  const cut = new AbortController();
  onTestFinished(() => {
    cut.abort();
  });
  const response = await fetch(`${url}/v1/guard?${query}`, {
    headers: { authorization: `Bearer ${key}` },
    signal: cut.signal,
  });
  const heard: HeardEvent[] = [];
  const client: GuardClient = {
    ...{ status: response.status, headers: response.headers, heard, comments: 0, end: undefined },
    of: (event) => heard.filter((each) => each.event === event).map(({ data }) => data),
    close: () => {
      cut.abort();
    },
  };
  const listen = async (): Promise<void> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true });
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        const block = text.slice(0, at);
        text = text.slice(at + 2);
        const said = /^event: (\w+)\ndata: (.*)$/.exec(block);
        if (said !== null) heard.push({ event: said[1] ?? '', data: JSON.parse(said[2] ?? '') });
        else if (block.startsWith(':')) client.comments += 1;
        else throw new Error(`Not understood: ${block}`);
      }
    }
  };
  if (response.status === 200) {
    listen().then(
      () => (client.end = 'in order'),
      () => (client.end = 'broken off'),
    );
  }
  return client;
}
