"""An agent with a daily budget: it tells people at 50, 80 and 95 %, and ends at 100 %."""

import os
import sys

from agentkavach import AgentKavach, Budget, BudgetExceededError, ChannelType


def on_kill(reason):
    print(f"on_kill: {reason}", flush=True)


guard = AgentKavach(
    provider="openai",
    api_key=os.environ["AGENTKAVACH_API_KEY"],  # your Kavach key
    llm_key=os.environ["OPENAI_API_KEY"],
    agent_name="research-bot",
    budget=Budget.daily(float(os.environ.get("DAILY_BUDGET_USD", "50"))),
    on_kill=on_kill,
    channels=[
        AgentKavach.channel(ChannelType.EMAIL, threshold=0.50, to="team@acme.com"),
        AgentKavach.channel(
            ChannelType.SLACK,
            threshold=0.80,
            webhook_url=os.environ["AGENTKAVACH_SLACK_WEBHOOK_URL"],
        ),
        AgentKavach.channel(
            ChannelType.PAGERDUTY,
            threshold=0.95,
            routing_key=os.environ["AGENTKAVACH_PAGERDUTY_ROUTING_KEY"],
        ),
        AgentKavach.channel(ChannelType.KILL, threshold=1.0),
    ],
)

# One question a line; each is one call.
for question in sys.stdin:
    try:
        answer = guard.create(
            model="gpt-4o", messages=[{"role": "user", "content": question.strip()}]
        )
        print(f"answer: {answer.choices[0].message.content}", flush=True)
    except BudgetExceededError as error:
        print(f"refused: {type(error).__name__}: {error}", flush=True)

print(f"spent: ${guard.spent:.6f}", flush=True)
guard.shutdown()
