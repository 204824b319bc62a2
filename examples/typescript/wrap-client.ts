/** Your own client, guarded: the same object to your code, streams and all. */
import Anthropic from '@anthropic-ai/sdk';
import { AgentKavach, Budget } from 'kavach';

const guard = new AgentKavach({
  apiKey: process.env['AGENTKAVACH_API_KEY'],
  agentName: process.env['AGENT_NAME'] ?? 'story-teller',
  budget: Budget.daily(Number(process.env['DAILY_BUDGET_USD'] ?? 50)),
  // No channels are given: those of the environment, and a kill at 100 %.
});
const anthropic = guard.wrap(new Anthropic());

const stream = await anthropic.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 200,
  messages: [{ role: 'user', content: 'Tell me of a lease, briefly.' }],
  stream: true,
});
for await (const event of stream) {
  if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
    process.stdout.write(event.delta.text);
  }
}

await guard.close();
console.log(`\nspent: $${guard.spent.toFixed(6)}`);
