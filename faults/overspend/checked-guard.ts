/**
 * How guards of the field do it: ask what is spent, call if that is below the limit, record after.
 * Right for one call at a time; what is in flight is seen by nobody.
 */
import { MAX_TOKENS, MODEL, nanosOf, promptOf } from './load.js';
import type { AgentOrder } from './order.js';

interface Usage {
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}
interface Spend {
  readonly usage: { readonly cost: number };
}

export function createCheckedGuard(order: AgentOrder): {
  call: (no: number) => Promise<boolean>;
  close: () => Promise<void>;
} {
  const headers = {
    authorization: `Bearer ${order.apiKey}`,
    'content-type': 'application/json',
  };
  const ask = async <T>(url: string, body?: object): Promise<T> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(url, { headers, ...init });
    return (await answer.json()) as T;
  };
  const status = `${order.endpoint}/v1/status?agent=${encodeURIComponent(order.agent)}`;
  const limit = order.limitUsd * 1e9;
  return {
    call: async (no) => {
      const { usage: spend } = await ask<Spend>(status);
      if (spend.cost >= limit) return false;
      const { usage } = await ask<Usage>(`${order.llmUrl}/v1/chat/completions`, {
        ...{ model: MODEL, max_tokens: MAX_TOKENS },
        messages: [{ role: 'user', content: promptOf(order.seed, no) }],
      });
      const [inputTokens, outputTokens] = [usage.prompt_tokens, usage.completion_tokens];
      const event = {
        ...{ agent_name: order.agent, provider: 'openai', model: MODEL },
        ...{ input_tokens: inputTokens, output_tokens: outputTokens },
        cost: nanosOf({ inputTokens, outputTokens }) / 1e9,
        idempotency_key: `${String(order.seed)}-${String(process.pid)}-${String(no)}`,
      };
      await ask(`${order.endpoint}/v1/ingest`, { events: [event] });
      return true;
    },
    close: () => Promise.resolve(),
  };
}
