import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ThresholdFacts } from '../../domain/alert/facts.js';
import { renderDeep, renderTemplate, templateVariables } from '../../domain/template.js';

const endless: ThresholdFacts = {
  org: 'default',
  agentName: 'research-bot',
  dimension: 'cost',
  cadence: 'daily',
  thresholdBps: 8_000,
  spent: 4_130_000_000,
  limit: 5_000_000_000,
  severity: 'warning',
  priority: 'medium',
  zone: 'UTC',
  at: Date.parse('2026-11-21T17:30:00Z'),
};
const facts: ThresholdFacts = { ...endless, resetsAt: Date.parse('2026-11-22T00:00:00Z') };
const plain = (value: string) => value;

describe('the variables of an alert', () => {
  test('a budget of five dollars at 4.13', () => {
    expect(templateVariables(facts, 'https://kavach.example/alerts/1')).toEqual({
      agent_name: 'research-bot',
      pct: '82',
      spent: '4.13',
      spent_fmt: '$4.13',
      budget: '5.00',
      budget_fmt: '$5.00',
      remaining: '0.87',
      remaining_fmt: '$0.87',
      period: 'daily',
      budget_type: 'cost',
      severity: 'warning',
      dashboard_url: 'https://kavach.example/alerts/1',
      level: 'WARN',
      resets_at: '2026-11-22 00:00 UTC',
      unit: 'USD',
    });
  });

  test('tokens of a run past the limit: nothing remains, and the end is the run’s', () => {
    const run: ThresholdFacts = {
      ...endless,
      dimension: 'tokens_total',
      cadence: 'run',
      spent: 12_345,
      limit: 10_000,
      severity: 'critical',
    };
    expect(templateVariables(run, '')).toMatchObject({
      pct: '123',
      spent: '12345',
      spent_fmt: '12,345 tokens',
      remaining: '0',
      remaining_fmt: '0 tokens',
      level: 'CRITICAL',
      resets_at: 'when the run ends',
      unit: 'tokens',
    });
  });

  test('a total never resets', () => {
    expect(templateVariables({ ...endless, cadence: 'total' }, '').resets_at).toBe('never');
  });

  test('a duration is bare milliseconds, and readable', () => {
    const slow = { ...facts, dimension: 'duration', spent: 90_000, limit: 120_000 } as const;
    expect(templateVariables(slow, '')).toMatchObject({
      spent: '90000',
      spent_fmt: '1m 30s',
      remaining_fmt: '30s',
      unit: 'ms',
    });
  });
});

describe('rendering', () => {
  const variables = { pct: '82', agent_name: 'a{pct}<b>' };
  test.each([
    ['a variable', 'at {pct}%', 'at 82%'],
    ['doubled braces are braces', '{{pct}} {{ }}', '{pct} { }'],
    ['braces around a variable', '{{{pct}}}', '{82}'],
    ['an unknown name stays', '{nobody} {pct}', '{nobody} 82'],
    ['a lone opening brace stays', 'a { b {pct}', 'a { b 82'],
    ['a lone closing brace stays', 'a } b {pct} }', 'a } b 82 }'],
    ['an empty name stays', '{}', '{}'],
    ['a format of Python stays', '{pct:>5} {pct!r}', '{pct:>5} {pct!r}'],
    ['a name with spaces stays', '{ pct }', '{ pct }'],
    [
      'names of prototypes are unknown',
      '{constructor} {__proto__} {toString}',
      '{constructor} {__proto__} {toString}',
    ],
    ['a variable inside a value is text', '{agent_name}', 'a{pct}<b>'],
  ])('%s', (_, template, text) => {
    expect(renderTemplate(template, variables, plain)).toBe(text);
  });

  test('values are escaped, the template is not', () => {
    const escape = (value: string) => value.replaceAll('<', '&lt;');
    expect(renderTemplate('<i>{agent_name}</i>', variables, escape)).toBe('<i>a{pct}&lt;b></i>');
  });

  test('replacement patterns in a value are text', () => {
    expect(renderTemplate('[{pct}]', { pct: "$& $1 $'" }, plain)).toBe("[$& $1 $']");
  });

  test('formats: a value comes out as it is, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(renderTemplate('<{x}>', { x: value }, plain)).toBe(`<${value}>`);
      }),
    );
  });

  test('formats: any text whose braces are doubled comes out as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'pct', ' ', '🚨') }), (text) => {
        const doubled = text.replace(/[{}]/g, '$&$&');
        expect(renderTemplate(doubled, variables, plain)).toBe(text);
      }),
    );
  });
});

describe('rendering inside blocks', () => {
  test('strings are rendered, keys and everything else stay', () => {
    const blocks = [
      { type: 'section', text: { text: '{pct}%', '{pct}': 1 }, flag: true, none: null },
      [['{nobody}']],
    ];
    expect(renderDeep(blocks, { pct: '82' }, plain)).toEqual([
      { type: 'section', text: { text: '82%', '{pct}': 1 }, flag: true, none: null },
      [['{nobody}']],
    ]);
  });

  test('a key called __proto__ stays a key and changes no prototype', () => {
    const input: unknown = JSON.parse('{"__proto__":{"polluted":"{pct}"}}');
    const output = renderDeep(input, { pct: '82' }, plain);
    expect(JSON.stringify(output)).toBe('{"__proto__":{"polluted":"82"}}');
    expect(output).not.toHaveProperty('polluted');
  });

  test('the input is not changed', () => {
    const blocks = Object.freeze([Object.freeze({ text: '{pct}' })]);
    expect(renderDeep(blocks, { pct: '82' }, plain)).toEqual([{ text: '82' }]);
  });

  test('nesting without end does not end the stack', () => {
    let nested: unknown = '{pct}';
    for (let i = 0; i < 50_000; i += 1) nested = [nested];
    expect(() => renderDeep(nested, { pct: '82' }, plain)).not.toThrow();
  });
});
