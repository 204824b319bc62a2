/** The kinds of path the workflow of an agent's rules can take, each played once on a real server. */
import type { AgentWorkflowInput } from '../../domain/agent/events.js';
import type { MatchReport, RuleCount } from '../../domain/agent/report.js';
import { DEFAULT_POLICY, type Policy } from '../../domain/alert/policy.js';
import { agentWorkflowId } from '../../domain/ids.js';
import type { Rule } from '../../domain/rule.js';
import { agentStatus, reportMatches } from '../../workflows/messages.js';
import { createRuleShelf, ruleOf } from '../support/rule-shelf.js';
import { away, type Kept, type Path } from './path.js';
import type { Stage } from './stage.js';

const QUICK: Policy = { ...DEFAULT_POLICY, retryMs: 30, ruleSilenceMs: 2_500 };

interface Failing {
  loadRules?: number;
  publish?: number;
  raise?: number;
}

/** One agent of an organisation of its own with one rule, and the means to speak to it. */
function watched(
  stage: Stage,
  org: string,
  over: Partial<Rule> = {},
  { policy = {}, failing = {} }: { policy?: Partial<Policy>; failing?: Failing } = {},
) {
  const shelf = createRuleShelf(ruleOf({ cooldownMs: 2_000, ...over }));
  const failOnce = (what: keyof Failing): void => {
    const left = failing[what] ?? 0;
    failing[what] = left - 1;
    if (left > 0) away();
  };
  stage.answer(org, {
    loadRules: (agent, asked) => {
      failOnce('loadRules');
      return shelf.load(org, agent, asked);
    },
    publishRules: (published) => {
      failOnce('publish');
      shelf.publish(published);
    },
    raise: () => {
      failOnce('raise');
    },
  });
  const workflowId = agentWorkflowId(org, 'bot');
  const handle = stage.handle(workflowId);
  const input: AgentWorkflowInput = {
    ...{ kind: 'began', org, agent: 'bot' },
    policy: { ...QUICK, ...policy },
  };
  let seq = 0;
  const tell = (count: Partial<RuleCount>, more: Partial<MatchReport> = {}) => {
    seq += 1;
    const now = Date.now();
    const rules = [{ rule: 'r1', matches: 0, misses: 0, heardAt: now, matchedAt: now, ...count }];
    const report = { sender: 'ledger', epoch: 1, seq, rev: shelf.rev(), rules, ...more };
    return stage.client.workflow.signalWithStart('agent', {
      ...{ workflowId, taskQueue: stage.taskQueue, args: [input] },
      ...{ signal: reportMatches, signalArgs: [report] },
    });
  };
  const until = (what: string, check: (row: ReturnType<typeof shelf.row>) => boolean) =>
    stage.until(what, () => Promise.resolve(check(shelf.row('bot', 'r1'))));
  const end = async (matches: number) => {
    await tell({ matches, misses: 2 });
    await handle.result();
  };
  const kept = (name: string): Kept => ({ name, workflowId });
  return { shelf, handle, tell, until, end, kept };
}

export const AGENT_PATHS: Readonly<Record<string, Path>> = {
  agentCooldown: async (stage) => {
    const { tell, until, end, kept, handle } = watched(stage, 'agent-cooldown');
    await tell({ matches: 1 });
    await until('an alert', (row) => row?.alerts === 1);
    await tell({ matches: 20 });
    await until('what is held', (row) => row?.held === 19);
    await tell({ matches: 21, misses: 1, matchedAt: Date.now() + 500 });
    await stage.until('the end of the cooldown', async () => {
      const now = await handle.query(agentStatus);
      return now.rules[0]?.quietUntil === undefined;
    });
    await tell({ matches: 22 });
    await until('another alert', (row) => row?.alerts === 2);
    await end(22);
    return [kept('agent-cooldown-and-end')];
  },
  agentEveryMatch: async (stage) => {
    const { tell, until, end, kept } = watched(stage, 'agent-every', { cooldownMs: 0 });
    await tell({ matches: 25 });
    await until('every alert', (row) => row?.alerts === 25);
    await end(25);
    return [kept('agent-every-match')];
  },
  agentSilence: async (stage) => {
    const { tell, handle, kept } = watched(stage, 'agent-silence');
    await tell({ matches: 1 });
    await tell({ matches: 1 }, { sender: 'direct-1' });
    await handle.result();
    return [kept('agent-silence')];
  },
  agentRemoved: async (stage) => {
    const { shelf, tell, until, handle, kept } = watched(stage, 'agent-removed');
    await tell({ matches: 1 });
    await until('an alert', (row) => row?.alerts === 1);
    shelf.put(ruleOf({ cooldownMs: 0 }));
    await tell({ matches: 2 });
    await until('another alert', (row) => row?.alerts === 2);
    shelf.remove('r1');
    await tell({ matches: 3 });
    await handle.result();
    return [kept('agent-rule-changed-and-removed')];
  },
  agentAway: async (stage) => {
    const failing = { loadRules: 1, raise: 1, publish: 1 };
    const { tell, until, end, kept } = watched(stage, 'agent-away', {}, { failing });
    await tell({ matches: 3 });
    await until('an alert', (row) => row?.alerts === 1);
    await end(3);
    return [kept('agent-ledger-away')];
  },
  agentNonsense: async (stage) => {
    const { tell, end, kept, handle } = watched(stage, 'agent-nonsense');
    await tell({ matches: 1 });
    for (const message of [null, 'x', { sender: 'ledger' }]) {
      await handle.signal('reportMatches', message);
    }
    await handle.signal('nobodyKnowsThis', 1);
    await end(1);
    return [kept('agent-nonsense')];
  },
  agentRotation: async (stage) => {
    const policy = { rotateAfterSignals: 3 };
    const { tell, until, end, kept, handle } = watched(stage, 'agent-rotation', {}, { policy });
    const first = (await tell({ matches: 1 })).signaledRunId;
    await until('an alert', (row) => row?.alerts === 1);
    for (let matches = 2; matches <= 4; matches += 1) await tell({ matches });
    await until('what is held', (row) => row?.held === 3);
    await stage.until('a rotation', async () => (await handle.describe()).runId !== first);
    await end(4);
    return [{ ...kept('agent-rotation-1'), runId: first }, kept('agent-rotation-2')];
  },
};
