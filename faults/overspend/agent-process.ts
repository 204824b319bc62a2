/**
 * One agent's process: many calls at once through one guard, until the budget refuses for good. Its
 * order comes in `process.argv[2]`; what it did goes out by IPC when it ends.
 */
import { AgentKavach, Budget, BudgetExceededError } from '../../sdk/index.js';
import { askUntilRefused } from './ask.js';
import { MAX_TOKENS, MODEL, promptOf, RATES } from './load.js';
import type { AgentDone, AgentOrder } from './order.js';
import { createCheckedGuard } from './checked-guard.js';

const order = JSON.parse(process.argv[2] ?? '{}') as AgentOrder;
let asks = 0;

/** One call; false where the budget refuses it. */
type Call = (no: number) => Promise<boolean>;

function leased(): { call: Call; close: () => Promise<void> } {
  const counting: typeof fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url.includes('/v1/leases')) asks += 1;
    return fetch(input, init);
  };
  const guard = new AgentKavach({
    ...{ provider: 'openai', apiKey: order.apiKey, llmKey: 'sk-fake', agentName: order.agent },
    ...{ budget: Budget.daily(order.limitUsd), prices: { [MODEL]: RATES } },
    channels: [AgentKavach.channel('kill', { threshold: 1 })],
    ...{ endpoint: order.endpoint, llmBaseUrl: `${order.llmUrl}/v1`, fetch: counting },
    ...(order.journalDir === undefined ? {} : { journalDir: order.journalDir }),
  });
  const call: Call = async (no) => {
    try {
      await guard.create({
        model: MODEL,
        max_completion_tokens: MAX_TOKENS,
        messages: [{ role: 'user', content: promptOf(order.seed, no) }],
      });
      return true;
    } catch (error) {
      if (error instanceof BudgetExceededError) return false;
      // The provider, or what lies between, failed: the caller goes on.
      return true;
    }
  };
  return { call, close: () => guard.close() };
}

const guard = order.guard === 'leased' ? leased() : createCheckedGuard(order);
const answered = await askUntilRefused(guard.call, order);
await guard.close();
const done: AgentDone = { answered, asks };
process.send?.(done, () => {
  process.exit(0);
});
