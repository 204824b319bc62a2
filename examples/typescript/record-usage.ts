/** Calls that the guard does not make: told afterwards, or made inside a bound that you name. */
import { AgentKavach, Budget } from 'kavach';

const guard = new AgentKavach({
  apiKey: process.env['AGENTKAVACH_API_KEY'],
  agentName: process.env['AGENT_NAME'] ?? 'night-job',
  budget: Budget.daily(Number(process.env['DAILY_BUDGET_USD'] ?? 50)),
});

// It was made elsewhere, and its bill is known: it counts, and nobody was asked before.
guard.record({ model: 'gpt-4o', inputTokens: 1_200, outputTokens: 300 });

// Any call at all: at most five cents and 1,000 tokens of room are taken before it is made, and
// what it did not need goes back with its bill.
const answer = await guard.call({ model: 'gpt-4o', usd: 0.05, tokens: 1_000 }, async (bill) => {
  const reply = await fetch(`${process.env['OPENAI_BASE_URL'] ?? ''}/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${process.env['OPENAI_API_KEY'] ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      model: 'gpt-4o',
      max_completion_tokens: 100,
      messages: [{ role: 'user', content: 'How are you?' }],
    }),
  });
  if (!reply.ok) throw new Error(`The provider answered ${String(reply.status)}.`);
  const { choices, usage } = (await reply.json()) as Reply;
  bill({ inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens });
  return choices[0]?.message.content;
});
console.log(`answer: ${answer ?? ''}`);

await guard.close();
console.log(`spent: $${guard.spent.toFixed(6)}`);

interface Reply {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}
