"""One of several agents that share a budget: start it once for each name, on any machine."""

import os
import sys

from agentkavach import AgentKavach, Budget, BudgetExceededError, ChannelType


def on_kill(reason):
    print(f"on_kill: {reason}", flush=True)


guard = AgentKavach(
    provider="openai",
    api_key=os.environ["AGENTKAVACH_API_KEY"],  # your Kavach key
    llm_key=os.environ["OPENAI_API_KEY"],
    agent_name=os.environ["AGENT_NAME"],
    # The organisation's: what all of them spend counts.
    budget=Budget.org_budget(float(os.environ.get("TEAM_BUDGET_USD", "200")), "daily"),
    on_kill=on_kill,
    channels=[
        AgentKavach.channel(
            ChannelType.SLACK,
            threshold=0.50,
            webhook_url=os.environ["AGENTKAVACH_SLACK_WEBHOOK_URL"],
        ),
        AgentKavach.channel(
            ChannelType.PAGERDUTY,
            threshold=0.80,
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
