/** The workflow of an agent's rules on a real server: one alert a cooldown, whatever happens to it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKavachClient, type KavachClient } from '../../client/index.js';
import type { MatchReport, RuleCount } from '../../domain/agent/report.js';
import type { Policy } from '../../domain/alert/policy.js';
import { agentWorkflowId, ruleAlertId } from '../../domain/ids.js';
import type { Rule } from '../../domain/rule.js';
import { alertStatus, reportMatches } from '../../workflows/messages.js';
import { ruleOf } from '../support/rule-shelf.js';
import { QUICK, startHarness, type Harness } from './harness.js';

let harness: Harness;
let agents = 0;
beforeAll(async () => {
  harness = await startHarness('agent');
});
afterAll(async () => {
  await harness.stop();
});
beforeEach(() => {
  harness.answer = () => ({ type: 'sent', outcome: { kind: 'accepted', reason: 'ok' } });
});

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** One agent with a rule of its own, and the means to speak to its workflow. */
function watched(over: Partial<Rule> = {}, policy: Partial<Policy> = {}) {
  agents += 1;
  const name = `agent-${String(agents)}-${String(Date.now())}`;
  const id = `rule-${String(agents)}`;
  harness.rules.put(ruleOf({ id, name: id, agent: name, ...over }));
  const { client: temporal, taskQueue } = harness;
  const whole = { ...QUICK, ...policy };
  const client: KavachClient = createKavachClient({
    ...{ client: temporal, taskQueue, policy: whole, log: quiet },
  });
  let seq = 0;
  const tell = (count: Partial<RuleCount>, more: Partial<MatchReport> = {}) => {
    seq += 1;
    const now = Date.now();
    const rules = [{ rule: id, matches: 0, misses: 0, heardAt: now, matchedAt: now, ...count }];
    const report = { sender: 'ledger', epoch: 1, seq, rev: harness.rules.rev(), rules, ...more };
    return client.reportMatches({ org: 'default', agent: name }, report);
  };
  const row = () => harness.rules.row(name, id);
  const handle = temporal.workflow.getHandle(agentWorkflowId('default', name));
  const alertOf = (no: number) => temporal.workflow.getHandle(ruleAlertId('default', id, name, no));
  const begun = async () => {
    const found: string[] = [];
    for (let no = 1; ; no += 1) {
      const known = await alertOf(no)
        .describe()
        .catch(() => undefined);
      if (known === undefined) return found;
      found.push(known.workflowId);
    }
  };
  const status = () => client.agentStatus({ org: 'default', agent: name });
  return { name, id, tell, row, handle, alertOf, begun, status };
}

describe('the rules of an agent on a real server', () => {
  test('R2, R3: raises one alert, counts the rest, ends it, and completes', async () => {
    const { tell, row, handle, alertOf, begun, status } = watched({ cooldownMs: 1_500 });
    await tell({ matches: 1 });
    await harness.until(() => row()?.alerts === 1);
    await tell({ matches: 400 });
    await tell({ matches: 1_000 });
    await harness.until(() => row()?.held === 999);
    expect(await begun()).toHaveLength(1);
    expect(await status()).toMatchObject({ rules: [{ matches: 1_000, alerts: 1, held: 999 }] });
    expect(await alertOf(1).query(alertStatus)).toMatchObject({ phase: 'firing' });
    await tell({ matches: 1_000, misses: 2 });
    await handle.result();
    await alertOf(1).result();
    expect(await alertOf(1).query(alertStatus)).toMatchObject({
      phase: 'resolved',
      resolved: { by: 'condition over' },
    });
    // A new life goes on from the ledger: the next number, and what was held back.
    await tell({ matches: 1_001 });
    await harness.until(async () => (await begun()).length === 2);
    expect((await alertOf(2).query(alertStatus)).facts).toMatchObject({
      lines: expect.arrayContaining([
        { label: 'Also matched', value: '999 more since the last alert' },
      ]),
    });
    await handle.terminate();
  });

  test('rotation anywhere is invisible', async () => {
    const { tell, row, handle, begun } = watched({ cooldownMs: 60_000 }, { rotateAfterSignals: 3 });
    await tell({ matches: 1 });
    const first = (await handle.describe()).runId;
    await harness.until(() => row()?.alerts === 1);
    for (let matches = 2; matches <= 40; matches += 1) await tell({ matches });
    await harness.until(() => row()?.held === 39);
    expect((await handle.describe()).runId).not.toBe(first);
    expect(await begun()).toHaveLength(1);
    await handle.terminate();
  });

  test('a worker that is lost inside the cooldown: still one', async () => {
    const { tell, row, handle, begun } = watched({ cooldownMs: 60_000 });
    await tell({ matches: 1 });
    await harness.until(() => row()?.alerts === 1);
    await harness.restartWorker({ maxCachedWorkflows: 0 });
    await tell({ matches: 9 });
    await harness.until(() => row()?.held === 8);
    expect(await begun()).toHaveLength(1);
    await harness.restartWorker();
    await handle.terminate();
  });

  test('its own timer ends what nobody speaks of any more', async () => {
    const { tell, handle, alertOf } = watched({ cooldownMs: 100 }, { ruleSilenceMs: 400 });
    await tell({ matches: 1 });
    await handle.result();
    expect(await alertOf(1).query(alertStatus)).toMatchObject({ phase: 'resolved' });
  });

  test('nonsense is counted, and neither fails nor blocks it', async () => {
    const { tell, row, handle, status } = watched({ cooldownMs: 60_000 });
    await tell({ matches: 1 });
    await harness.until(() => row()?.alerts === 1);
    await handle.signal(reportMatches, { sender: 7 } as unknown as MatchReport);
    await handle.signal('whatever', { a: 1 });
    await tell({ matches: -1 });
    await tell({ matches: 2 });
    await harness.until(() => row()?.held === 1);
    expect(await status()).toMatchObject({ rejected: 3 });
    await handle.terminate();
  });
});
