/** A5 on push: offered, confirmed or not, and what follows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginAlert, alertMachine } from '../../domain/alert/reduce.js';
import type { AlertEffect, AlertEvent } from '../../domain/alert/events.js';
import type { AlertInput, AlertState } from '../../domain/alert/state.js';
import { inputOf } from './alert-driver.js';
import { T0 } from './budget-driver.js';

const WITHIN_MS = 5_000;
const OFFERED = { type: 'offered', confirmWithinMs: WITHIN_MS } as const;

/** To somebody who has an email address. */
function inputTo(): AlertInput {
  const email = { channel: 'email', destination: 'd9', recipient: 'ada' } as const;
  const route = { channel: 'push', recipient: 'ada', fallback: [email] } as const;
  return { ...inputOf(['push']), routes: [route] };
}

function drive() {
  let state: AlertState = beginAlert(inputTo(), T0);
  const effects: AlertEffect[] = [];
  const send = (event: AlertEvent, at = T0): void => {
    const [next, more] = alertMachine.reduce(state, event, at);
    state = next;
    effects.push(...more);
  };
  send({ type: 'began' });
  const id = state.deliveries[0]!.id;
  const offer = (at = T0): void => {
    send({ type: 'attempted', delivery: id, attempt: 1, answer: OFFERED }, at);
  };
  const confirm = (at = T0): void => {
    send({ type: 'confirmed', delivery: id }, at);
  };
  const ways = () => state.deliveries.map(({ route, status }) => [route.channel, status]);
  return { send, offer, confirm, ways, state: () => state, effects };
}

describe('A5: push', () => {
  test('confirmed in time it is accepted, and nothing follows', () => {
    const alert = drive();
    alert.offer();
    alert.confirm(T0 + 4_999);
    alert.send({ type: 'ticked' }, T0 + 60_000);
    expect(alert.ways()).toEqual([['push', 'accepted']]);
  });

  test('confirmed before the word that it was offered it is accepted, too', () => {
    const alert = drive();
    alert.confirm(T0 + 10);
    alert.offer(T0 + 20);
    alert.send({ type: 'ticked' }, T0 + 60_000);
    expect(alert.ways()).toEqual([['push', 'accepted']]);
    expect(alert.effects.filter(({ type }) => type === 'deliver')).toHaveLength(1);
  });

  test('not confirmed in time, the email follows, and a late word changes nothing', () => {
    const alert = drive();
    alert.offer();
    expect(alertMachine.dueAt(alert.state())).toBe(T0 + WITHIN_MS);
    alert.send({ type: 'ticked' }, T0 + WITHIN_MS);
    alert.confirm(T0 + WITHIN_MS);
    expect(alert.ways()).toEqual([
      ['push', 'failed'],
      ['email', 'sending'],
    ]);
  });

  test('a word about a delivery of another channel that is under way counts for nothing', () => {
    const alert = drive();
    alert.offer();
    alert.send({ type: 'ticked' }, T0 + WITHIN_MS);
    const email = alert.state().deliveries[1]!.id;
    alert.send({ type: 'confirmed', delivery: email }, T0 + WITHIN_MS);
    expect(alert.ways()[1]).toEqual(['email', 'sending']);
  });

  test('A5: whenever the words come, it is a device or the email, never both and never neither', () => {
    const word = fc.record({
      what: fc.constantFrom('offer' as const, 'confirm' as const, 'tick' as const),
      at: fc.integer({ min: 0, max: 12_000 }),
    });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const alert = drive();
        const all = [...words, { what: 'offer' as const, at: 12_000 }].sort((a, b) => a.at - b.at);
        for (const { what, at } of all) {
          if (what === 'offer') alert.offer(T0 + at);
          else if (what === 'confirm') alert.confirm(T0 + at);
          else alert.send({ type: 'ticked' }, T0 + at);
        }
        alert.send({ type: 'ticked' }, T0 + 30_000);
        const [push, ...others] = alert.ways();
        expect(push?.[1]).toMatch(/accepted|failed/);
        expect(others).toHaveLength(push?.[1] === 'accepted' ? 0 : 1);
      }),
    );
  });
});
