/** A gateway for tests of the commands: answers what it is told, and keeps what it was asked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export type Answer = readonly [status: number, body: unknown];

export interface FakeKavach {
  readonly url: string;
  readonly asked: Asked[];
}

/** Answers by `METHOD /path`; everything else is a 404. Closes with the test. */
export async function startFakeKavach(answers: Record<string, Answer>): Promise<FakeKavach> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      asked.push({ method, path, authorization: headers.authorization, body });
      const [status, answer] = answers[`${method} ${path}`] ?? [404, { detail: 'unknown' }];
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}
