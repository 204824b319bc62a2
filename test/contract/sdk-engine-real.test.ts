/** A guard's engine on the real gateway and the real book (PGlite): the two speak one language. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLeasedAdmission } from '../../sdk/engine/admission.js';
import type { LeasedAdmissionOptions } from '../../sdk/engine/options.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { realLedger } from './gateway-real-kit.js';
import { call, CENT, DOLLAR, type TestGuard } from './sdk-engine-kit.js';

const until = { timeout: 20_000, interval: 20 };
const real = realLedger();

/** Its gateway, and guards of one agent with a daily dollar that blocks. */
async function start(agent: string) {
  const ledger = real.ledger();
  const { gateway } = await real.start({ now: Date.now });
  const apiKey = await real.key();
  const guard = (options: Partial<LeasedAdmissionOptions> = {}): TestGuard => {
    const log: string[] = [];
    const say = (message: string): void => void log.push(message);
    const admission = createLeasedAdmission({
      ...{ endpoint: gateway.url, apiKey, agentName: agent, runId: `run-${agent}` },
      syncDocument: {
        agent_name: agent,
        budgets: [{ budget_type: 'cost', period: 'daily', limit_value: 1, unit: 'usd' }],
        alert_configs: [{ channel: 'kill', threshold_pct: 1, budget_type: 'cost' }],
      },
      ...{ hasBlockBudget: true, whenUnreachable: 'closed' },
      logger: { info: say, warn: say, error: say },
      ...options,
    });
    const made: TestGuard = { admission, refusals: [], lifted: 0, log };
    admission.onRefusal((refusal) => made.refusals.push(refusal));
    admission.onLifted(() => {
      made.lifted += 1;
    });
    onTestFinished(() => admission.close(2_000));
    return made;
  };
  const leases = () => ledger.leases({ org: 'default', agent, now: Date.now(), limit: 100 });
  const spent = async (): Promise<number> => {
    const [row] = await real.sql(
      `select coalesce(sum(cost_used), 0)::float8 as spent from usage_event where agent = '${agent}'`,
    );
    return Number(row?.['spent']);
  };
  return { ledger, guard, leases, spent };
}

describe('on the real gateway', () => {
  test('L2. two guards of one agent together spend its limit, and not more', async () => {
    const { guard, leases, spent } = await start('pair');
    const guards = [guard(), guard()];
    let admitted = 0;
    await Promise.all(
      guards.map(async (each) => {
        for (let n = 0; n < 80; n += 1) {
          if ((await call(each)).type === 'admitted') admitted += 1;
        }
      }),
    );
    await Promise.all(guards.map(({ admission }) => admission.close(5_000)));
    expect(await spent()).toBe(admitted * CENT.cost);
    expect(await spent()).toBeLessThanOrEqual(DOLLAR);
    expect(admitted).toBeGreaterThan(90);
    const states = (await leases()).map(({ state, remainder }) => [state, remainder.cost]);
    expect(new Set(states.map(String))).toEqual(new Set(['closed,0']));
  });

  test('K3. a Stop reaches it within a second, and a resume lets it go on', async () => {
    const { ledger, guard } = await start('halted');
    const each = guard();
    expect(await call(each)).toMatchObject({ type: 'admitted' });
    const word = { agent: 'halted', by: 'kim', reason: 'enough', at: Date.now() };
    await ledger.stop('default', word);
    const at = performance.now();
    await vi.waitFor(() => {
      expect(each.refusals).toHaveLength(1);
    }, until);
    expect(performance.now() - at).toBeLessThan(1_000);
    expect(await call(each)).toMatchObject({ refusal: { why: 'stopped' } });
    await ledger.resume('default', 'halted', 'kim', Date.now());
    await vi.waitFor(async () => {
      expect(await call(each)).toMatchObject({ type: 'admitted' });
    }, until);
  });

  test('L4. a guard that starts again goes on under its holder, and leaves nothing open', async () => {
    const { guard, leases } = await start('again');
    const journal = temporaryFolder();
    for (let round = 0; round < 2; round += 1) {
      const each = guard({ journal });
      expect(await call(each)).toMatchObject({ type: 'admitted' });
      await each.admission.close(5_000);
    }
    const found = await leases();
    expect(found.map(({ state }) => state)).toEqual(['closed', 'closed']);
    expect(new Set(found.map(({ holder }) => holder)).size).toBe(1);
  });
});
