/** A14: an alert for very many people is several workflows, and one alert to whoever answers it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlertEvent } from '../../domain/alert/events.js';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { alertMachine, beginAlert } from '../../domain/alert/reduce.js';
import { readPartWord, spreadAlert } from '../../domain/alert/spread.js';
import type { AlertInput, AlertRoute, AlertState, RuleAlert } from '../../domain/alert/state.js';
import { inputOf } from './alert-driver.js';
import { T0 } from './budget-driver.js';

function ruleAlert(routes: readonly AlertRoute[]): RuleAlert {
  return {
    ...{ id: 'alert/rule/3', org: 'acme', kind: 'rule', subject: 'agent/bot', routes },
    facts: {
      ...{ kind: 'rule', org: 'acme', agentName: 'bot', rule: 'r', title: 'Errors', lines: [] },
      ...{ severity: 'error', priority: 'high', at: T0 },
    },
    policy: DEFAULT_POLICY,
    response: {
      operators: [{ channel: 'slack', destination: 'room' }],
      escalation: { levels: [{ afterMs: 1, routes: [] }], rounds: 1 },
    },
  };
}

const people = (count: number): AlertRoute[] =>
  Array.from({ length: count }, (_, no) => [
    { channel: 'push', recipient: `p${String(no)}` } as const,
    { channel: 'email', recipient: `p${String(no)}` } as const,
  ]).flat();

describe('an alert for very many people', () => {
  test('up to 200 deliveries it is one, and a crossing always is', () => {
    const input = ruleAlert(people(100));
    expect(spreadAlert(input)).toEqual([input]);
    const crossing = inputOf(Array.from({ length: 300 }, () => 'email' as const));
    expect(spreadAlert(crossing)).toEqual([crossing]);
  });

  test('past them it is several: the first keeps its id, and alone escalates', () => {
    const parts = spreadAlert(ruleAlert(people(450)));
    expect(parts.map(({ id, routes }) => [id, routes.length])).toEqual([
      ['alert/rule/3', 200],
      ['alert/rule/3/part-2', 200],
      ['alert/rule/3/part-3', 200],
      ['alert/rule/3/part-4', 200],
      ['alert/rule/3/part-5', 100],
    ]);
    expect(parts.map(({ spread }) => spread?.length)).toEqual([4, 1, 1, 1, 1]);
    expect(parts.filter(({ response }) => response?.escalation !== undefined)).toHaveLength(1);
    expect(parts.every(({ response }) => response?.operators.length === 1)).toBe(true);
  });

  test('SP-1: no route is lost or doubled, and all of a recipient’s are in one part', () => {
    const routes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 40 }).map((counts) =>
      counts.flatMap((count, no) =>
        Array.from({ length: count }, (): AlertRoute => ({
          channel: 'push',
          ...(no % 5 === 0 ? { destination: 'ops' } : { recipient: `p${String(no)}` }),
        })),
      ),
    );
    fc.assert(
      fc.property(routes, fc.integer({ min: 3, max: 10 }), (given, most) => {
        const parts = spreadAlert(ruleAlert(given), most);
        expect(parts.flatMap((part) => part.routes)).toEqual(given);
        expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
        expect(parts.every((part) => part.routes.length <= most)).toBe(true);
        const homes = parts.flatMap((part, no) =>
          [...new Set(part.routes.flatMap(({ recipient }) => recipient ?? []))].map(
            (recipient) => [recipient, no] as const,
          ),
        );
        expect(new Map(homes).size).toBe(homes.length);
      }),
    );
  });
});

/** Parts that hear each other's words, as their workflows do. */
function played(inputs: readonly AlertInput[]) {
  const states = new Map(inputs.map((input) => [input.id, beginAlert(input, T0)]));
  let told = 0;
  const send = (id: string, event: AlertEvent): void => {
    const before = states.get(id);
    if (before === undefined) throw new Error(`There is no part ${id}`);
    const [next, effects] = alertMachine.reduce(before, event, T0);
    states.set(id, next);
    for (const effect of effects) {
      if (effect.type !== 'tellParts') continue;
      for (const other of effect.alerts) {
        told += 1;
        const word = readPartWord(JSON.parse(JSON.stringify(effect.word)));
        if (word === undefined) throw new Error('a word was not understood');
        send(other, word);
      }
    }
  };
  const phases = (): AlertState['phase'][] => [...states.values()].map(({ phase }) => phase);
  const by = (): unknown[] => [...states.values()].map(({ acknowledged }) => acknowledged?.by);
  return { send, phases, by, told: () => told };
}

describe('a word to one part is a word to all', () => {
  const inputs = spreadAlert(ruleAlert(people(300)));

  test.each(inputs.map(({ id }) => id))('said to %s', (id) => {
    const parts = played(inputs);
    parts.send(id, { type: 'acknowledged', by: 'ada', note: 'on it' });
    expect(parts.phases()).toEqual(['acknowledged', 'acknowledged', 'acknowledged']);
    expect(parts.by()).toEqual(['ada', 'ada', 'ada']);
    expect(parts.told()).toBeLessThanOrEqual(2 * inputs.length);
    const told = parts.told();
    parts.send(id, { type: 'acknowledged', by: 'bo' });
    expect(parts.told()).toBe(told);
    parts.send(id, { type: 'resolved', by: 'bo' });
    expect(parts.phases()).toEqual(['resolved', 'resolved', 'resolved']);
  });

  test('R3: the end of the condition ends them all', () => {
    const parts = played(inputs);
    parts.send(inputs[0]?.id ?? '', { type: 'subjectEnded', at: T0 });
    expect(parts.phases()).toEqual(['resolved', 'resolved', 'resolved']);
  });

  test('what is no word is none', () => {
    for (const junk of [undefined, null, 'x', {}, { type: 'resolved' }, { type: 'began' }]) {
      expect(readPartWord(junk)).toBeUndefined();
    }
    expect(readPartWord({ type: 'subjectEnded', at: Number.NaN })).toBeUndefined();
  });
});
