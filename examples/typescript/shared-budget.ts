/** Two agents on one budget of the organisation: together they stay inside it (L2). */
import { AgentKavach, Budget, BudgetExceededError } from 'kavach';

const budget = Budget.orgBudget(Number(process.env['TEAM_BUDGET_USD'] ?? 200), { period: 'daily' });

/** Asks until the budget has no room for another call. */
async function work(agentName: string): Promise<void> {
  const guard = new AgentKavach({
    provider: 'openai',
    apiKey: process.env['AGENTKAVACH_API_KEY'],
    llmKey: process.env['OPENAI_API_KEY'],
    agentName,
    budget,
  });
  let calls = 0;
  try {
    for (;;) {
      await guard.create({
        model: 'gpt-4o',
        max_completion_tokens: 250,
        messages: [{ role: 'user', content: 'What comes next?' }],
      });
      calls += 1;
    }
  } catch (error) {
    if (!(error instanceof BudgetExceededError)) throw error;
    console.log(`${agentName}: ${String(calls)} calls, then: ${error.message}`);
  } finally {
    await guard.close();
  }
}

// In one process here; on as many machines as you like.
await Promise.all([work('researcher'), work('writer')]);
