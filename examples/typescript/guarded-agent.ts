/** An agent with a daily budget: it tells people at 50, 80 and 95 %, and ends at 100 %. */
import { createInterface } from 'node:readline';
import { AgentKavach, Budget, BudgetExceededError, ChannelType } from 'kavach';

const guard = new AgentKavach({
  provider: 'openai',
  apiKey: process.env['AGENTKAVACH_API_KEY'], // your Kavach key
  llmKey: process.env['OPENAI_API_KEY'],
  agentName: process.env['AGENT_NAME'] ?? 'research-bot',
  budget: Budget.daily(Number(process.env['DAILY_BUDGET_USD'] ?? 50)),
  onKill: (reason) => {
    console.log(`killed: ${reason}`);
  },
  channels: [
    AgentKavach.channel(ChannelType.EMAIL, { threshold: 0.5, to: 'team@acme.com' }),
    AgentKavach.channel(ChannelType.SLACK, {
      threshold: 0.8,
      webhookUrl: process.env['AGENTKAVACH_SLACK_WEBHOOK_URL'],
    }),
    AgentKavach.channel(ChannelType.PAGERDUTY, {
      threshold: 0.95,
      routingKey: process.env['AGENTKAVACH_PAGERDUTY_ROUTING_KEY'],
    }),
    AgentKavach.channel(ChannelType.KILL, { threshold: 1 }),
  ],
});

// One question a line; each is one call.
for await (const question of createInterface({ input: process.stdin })) {
  try {
    const answer = await guard.create({
      model: 'gpt-4o',
      max_completion_tokens: 250,
      messages: [{ role: 'user', content: question }],
    });
    console.log(`answer: ${answer.choices[0]?.message.content ?? ''}`);
  } catch (error) {
    if (!(error instanceof BudgetExceededError)) throw error;
    console.log(`refused: ${error.name}: ${error.message}`);
  }
}

await guard.close();
console.log(`spent: $${guard.spent.toFixed(6)}`);
