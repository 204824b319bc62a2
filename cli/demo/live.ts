/** What moves while the demo plays: the burn bar, and each message as it reaches its provider. */
import { setTimeout as delay } from 'node:timers/promises';
import { formatMoney, groupDigits } from '../../domain/money.js';
import type { Sink, SinkRequest } from '../../fakes/sink.js';
import type { GatewayApi } from './gateway-api.js';
import type { Plan } from './plan.js';
import type { Screen } from './screen.js';

const LOOK_EVERY_MS = 400;

/** Says each request to the sink as it comes in; the answer stops that. */
export function showMessages(sink: Sink, screen: Screen, startAt: number): () => void {
  return sink.onRequest((request) => {
    const seconds = ((request.at - startAt) / 1_000).toFixed(1).padStart(5);
    const line = `${seconds} s  ${request.channel.padEnd(7)}  ${titleOf(request)}`;
    if (request.taken) screen.say(request.repeat ? `${line} (a repeat, dropped)` : line);
    else screen.say(`${line} (answered ${String(request.status ?? 'nothing')})`, 'warning');
  });
}

/** Draws the bar until the signal aborts. While the service is away it stays as it is. */
export async function showBurn(
  { api, plan, screen }: { api: GatewayApi; plan: Plan; screen: Screen },
  signal: AbortSignal,
): Promise<void> {
  const { agent, limits, total } = plan;
  try {
    for (;;) {
      const status = await api.status(agent, signal);
      const day = status?.budgets.find(({ key }) => key.cadence === 'daily');
      if (status !== undefined && day !== undefined) {
        const spent = `${formatMoney(day.spent.cost)} of ${formatMoney(limits.cost)}`;
        const calls = `${grouped(status.usage.events)} of ${grouped(total.events)} calls`;
        const killed = day.killed === undefined ? '' : '  KILLED';
        screen.burn(day.spent.cost / limits.cost, `${spent}, ${calls}${killed}`);
      }
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export function grouped(count: number): string {
  return groupDigits(String(count));
}

/** The heading of a message, as each provider's protocol has it. */
export function titleOf({ body }: Pick<SinkRequest, 'body'>): string {
  try {
    const message = JSON.parse(body) as {
      readonly subject?: string;
      readonly text?: string;
      readonly data?: { readonly title?: string };
    };
    const title = message.subject ?? message.data?.title ?? message.text ?? '';
    return title.split('\n')[0]?.slice(0, 120) ?? '';
  } catch {
    return 'a message that is no JSON';
  }
}
