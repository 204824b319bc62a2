/**
 * The rules of one agent: counts of matches in, cooldowns held, alerts raised and ended. Thin:
 * every decision is `domain/agent/reduce.ts`; here are only Temporal's doors.
 */
import {
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import { agentDetails, agentTimerSummary } from '../domain/agent/details.js';
import {
  beginAgent,
  type AgentEffect,
  type AgentEvent,
  type AgentWorkflowInput,
} from '../domain/agent/events.js';
import { readMatches } from '../domain/agent/read-report.js';
import { agentMachine } from '../domain/agent/reduce.js';
import { agentStatusOf } from '../domain/agent/status.js';
import { alertSummary } from '../domain/alert/details.js';
import { endAlert } from './end-alert.js';
import { orElse } from './failures.js';
import { agentStatus, reportMatches } from './messages.js';
import { createRotation } from './rotation.js';
import { createShell } from './shell.js';

// Every effect ends in an event: one in flight for ever would hold rotation and every alert.
const { loadRules, publishRules, raiseAlert } = proxyActivities<Activities>({
  startToCloseTimeout: '3s',
  scheduleToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '2s' },
});

export async function agent(input: AgentWorkflowInput): Promise<void> {
  const carried = input.kind === 'carried' ? input : { state: beginAgent(input), outbox: [] };
  const { org, agent: name } = carried.state;
  const rotation = createRotation(carried.state.policy);
  const shell = createShell(carried, agentMachine, {
    perform,
    wantsRotation: rotation.wanted,
    onChange: (state) => {
      setCurrentDetails(agentDetails(state, Date.now()));
    },
    timerSummary: agentTimerSummary,
  });

  setHandler(reportMatches, (message) => {
    rotation.countSignal();
    const report = readMatches(message);
    shell.dispatch(
      'problem' in report
        ? { type: 'rejected', reason: report.problem }
        : { type: 'reported', report },
    );
  });
  setDefaultSignalHandler((signal) => {
    rotation.countSignal();
    shell.dispatch({ type: 'rejected', reason: `no signal is called ${signal}` });
  });
  setHandler(agentStatus, () => agentStatusOf(shell.state(), Date.now()));

  if (input.kind !== 'carried') shell.dispatch({ type: 'began' });
  const end = await shell.run();
  if (end.kind === 'rotate') {
    await continueAsNew<typeof agent>({ kind: 'carried', ...end.carry });
  }

  async function perform(effect: AgentEffect): Promise<AgentEvent> {
    switch (effect.type) {
      case 'loadRules':
        return orElse<AgentEvent>(
          loadRules
            .executeWithOptions({ summary: 'Read the rules' }, [org, name, effect.rules])
            .then((loaded) => ({ type: 'loaded', loaded })),
          () => ({ type: 'loadFailed' }),
        );
      case 'publish': {
        const gone = effect.published.rules.filter((each) => each.gone).map(({ rule }) => rule);
        return orElse<AgentEvent>(
          publishRules
            .executeWithOptions({ summary: 'Publish counts and alerts to the ledger' }, [
              effect.published,
            ])
            .then(() => ({ type: 'published', mark: effect.mark, gone })),
          () => ({ type: 'publishFailed' }),
        );
      }
      case 'raiseAlert': {
        const { rule, no } = effect;
        return orElse<AgentEvent>(
          raiseAlert
            .executeWithOptions({ summary: `Raise ${alertSummary(effect.input)}`.slice(0, 200) }, [
              effect.input,
            ])
            .then(() => ({ type: 'alertRaised', rule, no })),
          () => ({ type: 'raiseFailed', rule, no }),
        );
      }
      case 'endAlerts':
        await Promise.all(effect.alertIds.map((id) => endAlert(id, effect.at)));
        return { type: 'endsTold', rule: effect.rule, upTo: effect.upTo };
    }
  }
}
