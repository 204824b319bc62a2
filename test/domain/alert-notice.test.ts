/** A1, A14, A15: alerts that no budget raises. */
import { describe, expect, test } from 'vitest';
import { serviceNotice, stormNotice, type ServiceNotice } from '../../domain/alert/notice.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { alertMachine } from '../../domain/alert/reduce.js';
import { alertStatusOf } from '../../domain/alert/status.js';
import type { AlertRoute } from '../../domain/alert/state.js';
import { driveAlert, HOUR, outcome } from './alert-driver.js';
import { T0 } from './budget-driver.js';

const OPERATORS: readonly AlertRoute[] = [
  { channel: 'slack', destination: 'ops-slack' },
  { channel: 'email', destination: 'ops-mail' },
];

const storm = (over: Partial<Parameters<typeof stormNotice>[0]> = {}) =>
  stormNotice(
    {
      org: 'acme',
      destination: 'd7',
      channel: 'slack',
      held: 4,
      from: T0 - 60_000,
      alerts: [],
      ...over,
    },
    DEFAULT_POLICY,
    T0,
  );

const told = (kind: ServiceNotice['kind'], over: Partial<ServiceNotice> = {}): ServiceNotice => ({
  ...{ id: 1, at: T0, kind, text: `about ${kind}` },
  ...over,
});
const service = (notices: readonly ServiceNotice[], operators = OPERATORS) =>
  serviceNotice('acme', notices, operators, DEFAULT_POLICY);

describe('the summary of a storm (A14)', () => {
  test('goes where its alerts would have gone, and says how many', () => {
    const { facts, routes, id } = storm();
    expect(routes).toEqual([{ channel: 'slack', destination: 'd7' }]);
    expect(facts.title).toBe('4 more alerts were raised within a minute and not sent one by one');
    expect(storm({ held: 1 }).facts.title).toMatch(/^1 more alert /);
    expect(storm({ from: T0 - 300_000 }).facts.title).toContain('5 minutes');
    expect(storm().id).toBe(id);
    expect(storm({ from: T0 }).id).not.toBe(id);
    expect(storm({ destination: 'd8' }).id).not.toBe(id);
  });

  test('names whom it is about, the worst first, and is as urgent as that', () => {
    const agents = ['a', 'b', 'c', 'd', 'e', 'f', 'a'];
    const alerts = agents.map((agent, i) => ({
      ...{ agent, severity: i === 0 ? 'critical' : 'warning', kills: i === 0 },
    })) as Parameters<typeof stormNotice>[0]['alerts'];
    const { facts } = storm({ alerts });
    const lines = Object.fromEntries(facts.lines.map(({ label, value }) => [label, value]));
    expect(lines).toMatchObject({
      ...{ 'Held back': '4', 'The worst': 'critical', Killed: 'a' },
      Agents: 'a, b, c, d, e and 1 more',
    });
    expect(facts).toMatchObject({ severity: 'critical', priority: 'critical' });
    expect(storm().facts).toMatchObject({ severity: 'error', priority: 'high' });
  });

  test('is over when it was sent, tells nobody so, and does not escalate', () => {
    const escalation = { levels: [{ afterMs: 1_000, routes: OPERATORS }], rounds: 1 };
    const input = { ...storm(), response: { operators: OPERATORS, escalation } };
    const driver = driveAlert(input, () => outcome('accepted'));
    driver.pass(HOUR);
    expect(driver.sent.map(({ destination, purpose }) => [destination, purpose])).toEqual([
      ['d7', 'fire'],
    ]);
    expect(alertStatusOf(driver.state)).toMatchObject({ phase: 'resolved', result: 'delivered' });
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });

  test('A5: reaches the operators where its destination cannot be reached', () => {
    const input = { ...storm(), response: { operators: OPERATORS } };
    const driver = driveAlert(input, (_channel, _attempt, destination) =>
      destination === 'd7' ? 'unhealthy_destination' : outcome('accepted'),
    );
    expect(driver.state.deliveries.map(({ route, status }) => [route.destination, status])).toEqual(
      [
        ['d7', 'suppressed'],
        ['ops-mail', 'accepted'],
      ],
    );
    expect(alertMachine.isSettled(driver.state)).toBe(true);
  });
});

describe('what the service says of itself (A15)', () => {
  test('one thing is the title, several are counted, and of many the rest is named', () => {
    expect(service([told('unpriced')])?.facts.title).toBe('A model has no price');
    const two = service([told('relay_lag'), told('unpriced', { id: 2 })]);
    expect(two?.facts.title).toBe('Alerts are late, and 1 more to know');
    const many = service(Array.from({ length: 30 }, (_, id) => told('unpriced', { id })));
    expect(many?.facts.lines).toHaveLength(9);
    expect(many?.facts.lines.at(-1)?.value).toMatch(/^22 more: /);
  });

  test('is as urgent as the most urgent of it', () => {
    expect(service([told('unpriced')])?.facts.priority).toBe('medium');
    expect(service([told('unpriced'), told('period_parked')])?.facts.priority).toBe('high');
  });

  test('goes to the first operator that it is not about, and to somebody in any case', () => {
    const gone = told('destination_gone', { destination: 'ops-slack' });
    expect(service([told('unpriced')])?.routes).toEqual([OPERATORS[0]]);
    expect(service([gone])?.routes).toEqual([OPERATORS[1]]);
    expect(service([gone], OPERATORS.slice(0, 1))?.routes).toEqual([OPERATORS[0]]);
    expect(service([gone], [])).toBeUndefined();
    expect(service([])).toBeUndefined();
  });
});
