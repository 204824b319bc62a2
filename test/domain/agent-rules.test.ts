/** R2 and R3: one alert a cooldown, everything else counted, an end that is told once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MatchReport } from '../../domain/agent/report.js';
import { readMatches } from '../../domain/agent/read-report.js';
import { agentStatusOf } from '../../domain/agent/status.js';
import { agentDetails } from '../../domain/agent/details.js';
import type { RuleAlert } from '../../domain/alert/state.js';
import { createRuleShelf, ruleOf, type RuleShelf } from '../support/rule-shelf.js';
import { AGENT, driveAgent, heldIn, T0, type AgentDriver } from './agent-driver.js';

const COOLDOWN = 300_000;
const SILENCE = 600_000;

describe('R2: the cooldown', () => {
  test('a match is an alert; those inside the cooldown are counted and told with the next', () => {
    const shelf = createRuleShelf(ruleOf());
    const driver = driveAgent(shelf);
    driver.report({ matches: 1 });
    expect(driver.alerts.map(({ id }) => id)).toEqual([`alert/default/rule/r1/${AGENT}/1`]);
    for (const matches of [5, 20, 43]) {
      driver.pass(60_000);
      driver.report({ matches });
    }
    expect(driver.alerts).toHaveLength(1);
    driver.pass(COOLDOWN);
    expect(driver.alerts).toHaveLength(1);
    driver.report({ matches: 44 });
    expect(driver.alerts.map(heldIn)).toEqual([0, 42]);
  });

  test('a thousand matches in ten seconds: one alert, the rest counted', () => {
    const shelf = createRuleShelf(ruleOf());
    const driver = driveAgent(shelf);
    for (let matches = 10; matches <= 1_000; matches += 10) {
      driver.report({ matches });
      driver.pass(100);
    }
    expect(driver.alerts).toHaveLength(1);
    // Ten of them came with the first word.
    expect(driver.alerts.map(heldIn)).toEqual([9]);
    expect(shelf.row(AGENT, 'r1')).toMatchObject({ alerts: 1, held: 990, raisedAt: T0 });
  });

  test('a match of before the end that is told after it is one of those inside', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    driver.report({ matches: 1 });
    const matchedAt = driver.now + COOLDOWN - 1;
    driver.pass(COOLDOWN + 5_000);
    driver.report({ matches: 2, matchedAt });
    expect(driver.alerts).toHaveLength(1);
    driver.report({ matches: 3, matchedAt: matchedAt + 1 });
    expect(driver.alerts.map(heldIn)).toEqual([0, 1]);
  });

  test('0: every match is an alert, and none has a number twice', () => {
    const shelf = createRuleShelf(ruleOf({ cooldownMs: 0 }));
    const driver = driveAgent(shelf);
    driver.report({ matches: 3 });
    driver.report({ matches: 450 });
    expect(new Set(driver.alerts.map(({ id }) => id)).size).toBe(450);
    expect(driver.alerts.map(heldIn).every((held) => held === 0)).toBe(true);
    expect(shelf.row(AGENT, 'r1')).toMatchObject({ alerts: 450, held: 0 });
  });

  test('one noisy rule mutes no other', () => {
    const shelf = createRuleShelf(ruleOf(), ruleOf({ id: 'r2', name: 'slow' }));
    const driver = driveAgent(shelf);
    driver.report({ matches: 900 });
    driver.report({ rule: 'r2', matches: 1 });
    expect(driver.alerts.map(({ facts }) => facts.rule)).toEqual(['r1', 'r2']);
  });

  test('what is settled begins again from the ledger, inside its cooldown or after it', () => {
    const shelf = createRuleShelf(ruleOf());
    const first = driveAgent(shelf);
    first.report({ matches: 7 });
    first.report({ matches: 7, misses: 2 });
    expect([first.isSettled, first.ended]).toEqual([false, [`alert/default/rule/r1/${AGENT}/1`]]);
    // Its life is lost: terminated, or Temporal's database was.
    const second = driveAgent(shelf, { now: first.now + 1_000 });
    second.report({ matches: 8 }, { seq: 10 });
    expect(second.alerts).toEqual([]);
    second.report({ matches: 8, misses: 2 }, { seq: 11 });
    second.pass(COOLDOWN);
    expect(second.isSettled).toBe(true);
    const third = driveAgent(shelf, { now: second.now });
    third.report({ matches: 9 }, { seq: 12 });
    expect(third.alerts.map((each) => [each.id, heldIn(each)])).toEqual([
      [`alert/default/rule/r1/${AGENT}/2`, 1],
    ]);
  });

  test('a rule that changes holds at once: a shorter cooldown, another condition', () => {
    const shelf = createRuleShelf(ruleOf());
    const driver = driveAgent(shelf);
    driver.report({ matches: 1 });
    driver.pass(10_000);
    shelf.put(ruleOf({ cooldownMs: 5_000, priority: 'critical', condition: 'error_rate > 0.5' }));
    driver.report({ matches: 2 });
    expect(driver.alerts.map(({ facts }) => facts.priority)).toEqual(['high', 'critical']);
    expect(driver.alerts[1]?.facts.lines[0]).toEqual({
      label: 'Condition',
      value: 'error_rate > 0.5',
    });
  });

  test('a rule that is removed raises nothing more, and what is open ends', () => {
    const shelf = createRuleShelf(ruleOf());
    const driver = driveAgent(shelf);
    driver.report({ matches: 1 });
    shelf.remove('r1');
    driver.report({ matches: 2 });
    expect(driver.alerts).toHaveLength(1);
    expect(driver.ended).toHaveLength(1);
    expect(driver.isSettled).toBe(true);
    expect(shelf.row(AGENT, 'r1')).toBeUndefined();
  });

  test('a rule that is about another agent now ends here, and comes back with its numbers', () => {
    const shelf = createRuleShelf(ruleOf());
    const driver = driveAgent(shelf);
    driver.report({ matches: 1 });
    shelf.put(ruleOf({ agent: 'other' }));
    driver.report({ matches: 2 });
    expect(driver.ended).toHaveLength(1);
    shelf.put(ruleOf());
    driver.pass(COOLDOWN);
    driver.report({ matches: 3 });
    expect(driver.alerts.map(({ id }) => id).at(-1)).toBe(`alert/default/rule/r1/${AGENT}/2`);
  });
});

describe('R3: the end', () => {
  test('false twice in a row ends it, once is not enough, and a match begins the count anew', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    driver.report({ matches: 1 });
    driver.report({ matches: 1, misses: 1 });
    driver.report({ matches: 2, misses: 0 });
    driver.report({ matches: 2, misses: 1 });
    expect(driver.ended).toEqual([]);
    driver.report({ matches: 2, misses: 2 });
    expect(driver.ended).toEqual([driver.alerts[0]?.id]);
    driver.report({ matches: 2, misses: 9 });
    expect(driver.ended).toHaveLength(1);
  });

  test('ten minutes without a word end it, and not before', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    driver.report({ matches: 1 });
    driver.pass(SILENCE - 1_000);
    driver.report({ matches: 1, misses: 1 });
    driver.pass(SILENCE - 1);
    expect(driver.ended).toEqual([]);
    driver.pass(1);
    expect(driver.ended).toHaveLength(1);
    expect(driver.isSettled).toBe(true);
  });

  test('while one of its senders still sees it, it goes on', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    driver.report({ matches: 1 });
    driver.report({ matches: 1 }, { sender: 'direct-1' });
    driver.report({ matches: 1, misses: 5 });
    expect(driver.ended).toEqual([]);
    driver.report({ matches: 1, misses: 2 }, { sender: 'direct-1' });
    expect(driver.ended).toHaveLength(1);
  });

  test('an alert is told its end only once it has started', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    driver.failing = { raiseAlert: 2 };
    driver.report({ matches: 1 });
    driver.report({ matches: 1, misses: 2 });
    expect([driver.alerts, driver.ended]).toEqual([[], []]);
    driver.pass(60_000);
    expect(driver.alerts).toHaveLength(1);
    expect(driver.ended).toEqual(driver.alerts.map(({ id }) => id));
  });

  test('its title carries no values, and it says whose it is', () => {
    const driver = driveAgent(createRuleShelf(ruleOf({ recipients: ['ana'], channels: ['push'] })));
    driver.report({ matches: 1 });
    const [alert] = driver.alerts as [RuleAlert];
    expect(alert).toMatchObject({
      kind: 'rule',
      subject: `agent/default/${AGENT}`,
      audience: { recipients: ['ana'], channels: ['push'] },
      facts: { title: `${AGENT}: high error rate`, severity: 'error', agentName: AGENT },
    });
    expect(alert.facts.title).not.toMatch(/\d/);
  });
});

describe('what is away comes back', () => {
  test('a ledger that cannot be read, and one that cannot be written', () => {
    const shelf = createRuleShelf(ruleOf());
    const driver = driveAgent(shelf);
    driver.failing = { loadRules: 3, publish: 3 };
    driver.report({ matches: 4 });
    expect(driver.alerts).toEqual([]);
    driver.pass(60_000);
    expect(driver.alerts).toHaveLength(1);
    expect(driver.alerts.map(heldIn)).toEqual([3]);
    expect(shelf.row(AGENT, 'r1')).toMatchObject({ alerts: 1, held: 0 });
  });

  test('nonsense is counted and costs nothing else', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    for (const message of [undefined, 3, {}, { sender: '__proto__' }, { sender: 'x', epoch: -1 }]) {
      const read = readMatches(message);
      if (!('problem' in read)) throw new Error('it was read');
      driver.send({ type: 'rejected', reason: read.problem });
    }
    const count = { rule: 'r1', matches: 1, misses: 0, heardAt: T0, matchedAt: T0 };
    const report = { sender: 's', epoch: 1, seq: 1, rev: 1, rules: [count] };
    expect(readMatches(report)).toEqual(report);
    expect(readMatches({ ...report, rules: [{ ...count, matches: 1.5 }] })).toHaveProperty(
      'problem',
    );
    driver.report({ matches: 1 });
    expect(driver.alerts).toHaveLength(1);
    expect(agentStatusOf(driver.state, driver.now)).toMatchObject({
      rejected: 5,
      rules: [{ rule: 'r1', alerts: 1, quietUntil: T0 + COOLDOWN }],
    });
    expect(agentDetails(driver.state, driver.now)).toContain('high error rate');
  });

  test('a rule nobody has is forgotten', () => {
    const driver = driveAgent(createRuleShelf(ruleOf()));
    driver.report({ rule: 'made-up', matches: 9 });
    expect(driver.alerts).toEqual([]);
    expect(driver.isSettled).toBe(true);
  });
});

type Word =
  | { readonly type: 'match'; readonly times: number }
  | { readonly type: 'miss' }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'tell' }
  | { readonly type: 'repeat'; readonly which: number };

const word: fc.Arbitrary<Word> = fc.oneof(
  fc.record({ type: fc.constant('match' as const), times: fc.integer({ min: 1, max: 40 }) }),
  fc.constant({ type: 'miss' as const }),
  fc.record({
    type: fc.constant('pass' as const),
    ms: fc.constantFrom(1, 1_000, 59_999, COOLDOWN - 1, COOLDOWN, SILENCE),
  }),
  fc.constant({ type: 'tell' as const }),
  fc.record({ type: fc.constant('repeat' as const), which: fc.nat(20) }),
);

/** Plays a life of matches and misses; answers what came of it. */
function play(words: readonly Word[], cooldownMs: number, rotate: boolean) {
  const shelf = createRuleShelf(ruleOf({ cooldownMs }));
  const driver = driveAgent(shelf, { rotate });
  const told: MatchReport[] = [];
  let count = { matches: 0, misses: 0, heardAt: T0, matchedAt: T0 };
  const tell = (): void => {
    const seq = told.length + 1;
    const rules = [{ rule: 'r1', ...count }];
    told.push({ sender: 'ledger', epoch: 1, seq, rev: shelf.rev(), rules });
    driver.send({ type: 'reported', report: told.at(-1)! });
  };
  for (const each of words) {
    const { now } = driver;
    if (each.type === 'match') {
      const matches = count.matches + each.times;
      count = { matches, misses: 0, heardAt: now, matchedAt: now };
    } else if (each.type === 'miss') count = { ...count, misses: count.misses + 1, heardAt: now };
    else if (each.type === 'pass') driver.pass(each.ms);
    else if (each.type === 'tell') tell();
    else {
      const again = told[each.which % Math.max(told.length, 1)];
      if (again !== undefined) driver.send({ type: 'reported', report: again });
    }
  }
  tell();
  return { driver, shelf, matches: count.matches };
}

function raisedAtOf(driver: AgentDriver): number[] {
  return driver.alerts.map(({ facts }) => facts.at);
}

describe('properties', () => {
  const plan = fc.tuple(fc.array(word, { maxLength: 40 }), fc.constantFrom(0, 60_000, COOLDOWN));

  test('R2: every match is in exactly one alert, or counted; alerts are a cooldown apart', () => {
    fc.assert(
      fc.property(plan, ([words, cooldownMs]) => {
        const { driver, shelf, matches } = play(words, cooldownMs, false);
        const held = shelf.row(AGENT, 'r1')?.held ?? 0;
        const inAlerts = driver.alerts.reduce((sum, alert) => sum + 1 + heldIn(alert), 0);
        expect(inAlerts + held).toBe(matches);
        expect(new Set(driver.alerts.map(({ id }) => id)).size).toBe(driver.alerts.length);
        const moments = raisedAtOf(driver);
        moments.slice(1).forEach((at, i) => {
          expect(at - moments[i]!).toBeGreaterThanOrEqual(cooldownMs);
        });
        const cut = (rule: RuleShelf): unknown => rule.row(AGENT, 'r1');
        expect(cut(shelf) === undefined).toBe(matches === 0);
      }),
    );
  });

  test('rotation anywhere is invisible', () => {
    fc.assert(
      fc.property(plan, ([words, cooldownMs]) => {
        const plain = play(words, cooldownMs, false);
        const rotated = play(words, cooldownMs, true);
        expect(rotated.driver.alerts).toEqual(plain.driver.alerts);
        expect(rotated.driver.ended).toEqual(plain.driver.ended);
        expect(rotated.shelf.published).toEqual(plain.shelf.published);
      }),
    );
  });

  test('R3: in the end every alert has been told its end, once, and nothing is left', () => {
    fc.assert(
      fc.property(plan, ([words, cooldownMs]) => {
        const { driver } = play(words, cooldownMs, false);
        driver.pass(SILENCE + COOLDOWN);
        expect([...driver.ended].sort()).toEqual(driver.alerts.map(({ id }) => id).sort());
        expect(driver.isSettled).toBe(true);
      }),
    );
  });
});
