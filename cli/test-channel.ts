/** `kavach test-channel`: one marked test message, and what the provider said to it. */
import { CliError, type Gateway } from './http.js';
import type { Output } from './output.js';

export interface TestMessage {
  readonly channel: string;
  readonly to?: string;
  readonly secret?: string;
  readonly destination?: string;
}

interface Answer {
  readonly channel: string;
  readonly outcome: { readonly kind: string; readonly reason: string };
}

/** Exit code 0 where the provider has taken it, 1 where it has not. */
export async function testChannel(
  gateway: Gateway,
  output: Output,
  { channel, to, secret, destination }: TestMessage,
): Promise<number> {
  const body = {
    channel,
    ...(to === undefined ? {} : { target: to }),
    ...(secret === undefined ? {} : { secret }),
    ...(destination === undefined ? {} : { destination }),
  };
  const answer = (await gateway.post('/v1/test-send', body).catch((error: unknown) => {
    const isOurs = error instanceof CliError && error.status === 422 && error.detail;
    throw isOurs ? new CliError(`${channel}: ${error.detail ?? ''}`, error.status) : error;
  })) as Answer;
  const { kind, reason } = answer.outcome;
  const isTaken = kind === 'accepted';
  output.json(answer);
  output.line(`${channel}: ${output.paint(isTaken ? 'good' : 'bad', kind)} (${reason})`);
  if (isTaken) output.line('A message that says TEST is on its way: look whether it arrives.');
  return isTaken ? 0 : 1;
}
