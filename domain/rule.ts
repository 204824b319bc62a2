/**
 * Rules on an agent's metrics (R1): a condition is `metric op value`, read once when the rule is
 * made and held against every metric that comes.
 *
 * R1. Numbers compare as numbers, and `true` is 1, `false` 0. Where one side is text, both are
 *     compared as text, by `==` and `!=` only: text has no order.
 */
import { isRefusal, refuse, type Refusal } from './refusal.js';
import type { ChannelName, Priority } from './words.js';

export const OPERATORS = ['>=', '<=', '==', '!=', '>', '<'] as const;
export type Operator = (typeof OPERATORS)[number];

/** What an agent says of one of its metrics; numbers are finite. */
export type MetricValue = number | boolean | string;

/** A condition as it was read: `{metric: 'error_rate', op: '>', value: 0.05, text: '0.05'}`. */
export interface Condition {
  readonly metric: string;
  readonly op: Operator;
  readonly value: number | string;
  /** The value as it was written, without its quotes. */
  readonly text: string;
}

/** What was wrong with a condition, and at which of its characters, from 1. */
export interface ConditionFault extends Refusal {
  readonly position: number;
}

/** The agent of a rule that is about all of them. */
export const ANY_AGENT = '*';

export interface Rule {
  /** Made with the rule and never used again. */
  readonly id: string;
  readonly name: string;
  /** An agent's name, or `*`. */
  readonly agent: string;
  /** As it was written; `parseCondition` takes it. */
  readonly condition: string;
  readonly channels: readonly ChannelName[];
  readonly priority: Priority;
  /** R2. 0: every match is an alert. */
  readonly cooldownMs: number;
  /** Recipients' ids; none: the operators. */
  readonly recipients: readonly string[];
}

export const MAX_CONDITION = 500;
const MAX_METRIC = 200;

const SPACE = /\s*/y;
/** A name is anything that is neither space, nor a quote, nor part of an operator. */
const METRIC = /[^\s"'<>=!]+/y;
const OPERATOR = />=|<=|==|!=|>|</y;
const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?=\s|$)/y;
const QUOTED = /"(?:[^"\\]|\\["\\])*"|'(?:[^'\\]|\\['\\])*'/y;
const WORD = /[^\s"'<>=!]+/y;

/** Reads `error_rate > 0.05` or `status == "failed"`; a fault names its position. */
export function parseCondition(text: string): Condition | ConditionFault {
  if (text.length > MAX_CONDITION) {
    return fault(MAX_CONDITION, `is longer than ${String(MAX_CONDITION)} characters`);
  }
  const afterSpace = (at: number): number => at + (matchAt(SPACE, text, at)?.length ?? 0);

  const metricAt = afterSpace(0);
  const metric = matchAt(METRIC, text, metricAt);
  if (metric === undefined) {
    return fault(metricAt, 'expected the name of a metric, as in error_rate > 0.05');
  }
  if (metric.length > MAX_METRIC) {
    return fault(metricAt, `the metric is longer than ${String(MAX_METRIC)} characters`);
  }

  const opAt = afterSpace(metricAt + metric.length);
  const op = matchAt(OPERATOR, text, opAt) as Operator | undefined;
  if (op === undefined) return fault(opAt, `expected one of ${OPERATORS.join(' ')}`);

  const valueAt = afterSpace(opAt + op.length);
  const read = readValue(text, valueAt);
  if (read === undefined) {
    return fault(valueAt, 'expected a number, true, false, or text, in quotes where it has spaces');
  }
  const end = afterSpace(valueAt + read.length);
  if (end < text.length) return fault(end, 'expected the end: a condition is metric op value');
  if (typeof read.value === 'string' && !isEquality(op)) {
    return fault(opAt, `text takes only == and !=, and ${JSON.stringify(read.text)} is text`);
  }
  return { metric, op, value: read.value, text: read.text };
}

export function isConditionFault(read: Condition | ConditionFault): read is ConditionFault {
  return isRefusal(read);
}

/**
 * Whether the condition holds for a value. Undefined: it says nothing about it, as text has no
 * order.
 */
export function meets(condition: Condition, given: MetricValue): boolean | undefined {
  const { op, value, text } = condition;
  const metric = typeof given === 'boolean' ? Number(given) : given;
  if (typeof metric === 'number' && typeof value === 'number') return compare(metric, op, value);
  if (!isEquality(op)) return undefined;
  return (String(given) === text) === (op === '==');
}

export function appliesTo(rule: Pick<Rule, 'agent'>, agent: string): boolean {
  return rule.agent === ANY_AGENT || rule.agent === agent;
}

function compare(metric: number, op: Operator, value: number): boolean {
  switch (op) {
    case '>':
      return metric > value;
    case '<':
      return metric < value;
    case '>=':
      return metric >= value;
    case '<=':
      return metric <= value;
    case '==':
      return metric === value;
    case '!=':
      return metric !== value;
    default:
      return op satisfies never;
  }
}

function isEquality(op: Operator): boolean {
  return op === '==' || op === '!=';
}

interface ReadValue {
  readonly value: number | string;
  readonly text: string;
  readonly length: number;
}

function readValue(text: string, at: number): ReadValue | undefined {
  const number = matchAt(NUMBER, text, at);
  if (number !== undefined) {
    const value = Number(number);
    return Number.isFinite(value) ? { value, text: number, length: number.length } : undefined;
  }
  const quoted = matchAt(QUOTED, text, at);
  if (quoted !== undefined) {
    const inner = quoted.slice(1, -1).replace(/\\(["'\\])/g, '$1');
    return { value: inner, text: inner, length: quoted.length };
  }
  const word = matchAt(WORD, text, at);
  if (word === undefined) return undefined;
  const { length } = word;
  if (word === 'true' || word === 'false')
    return { value: Number(word === 'true'), text: word, length };
  return { value: word, text: word, length };
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function fault(at: number, problem: string): ConditionFault {
  const position = at + 1;
  const message = `character ${String(position)}: ${problem}`;
  return { ...refuse('bad_condition', message, 'condition'), position };
}
