/**
 * Reads a report of matches somebody sent, be it nonsense: a `MatchReport`, or a word on what is
 * wrong with it. Never throws; a bad message is counted and costs nothing else (spec §8).
 */
import type { MatchReport, RuleCount } from './report.js';

type Fields = Readonly<Record<string, unknown>>;

/** A calendar date past this is a mistake of units: 1 January 2200. */
const LATEST = 7_258_118_400_000;
const MAX_NAME = 200;
const MAX_RULES = 500;

export function readMatches(message: unknown): MatchReport | { readonly problem: string } {
  if (!isFields(message)) return bad('expected an object');
  const { sender, epoch, seq, rev, rules } = message;
  if (!isName(sender)) return bad(`sender: expected a name of 1 to ${String(MAX_NAME)} characters`);
  if (!isCount(epoch)) return bad('epoch: expected an integer from 0');
  if (!isCount(seq)) return bad('seq: expected an integer from 0');
  if (!isCount(rev)) return bad('rev: expected an integer from 0');
  if (!Array.isArray(rules) || rules.length > MAX_RULES) {
    return bad(`rules: expected at most ${String(MAX_RULES)}`);
  }
  const read: RuleCount[] = [];
  for (const [index, each] of rules.entries()) {
    const count = countIn(each);
    if (typeof count === 'string') return bad(`rules[${String(index)}].${count}`);
    read.push(count);
  }
  return { sender, epoch, seq, rev, rules: read };
}

function countIn(given: unknown): RuleCount | string {
  if (!isFields(given)) return 'rule: expected an object';
  const { rule, matches, misses, heardAt, matchedAt } = given;
  if (!isName(rule)) return 'rule: expected the id of a rule';
  if (!isCount(matches)) return 'matches: expected an integer from 0';
  if (!isCount(misses)) return 'misses: expected an integer from 0';
  if (!isMoment(heardAt)) return 'heardAt: expected epoch ms';
  if (matchedAt !== undefined && !isMoment(matchedAt)) return 'matchedAt: expected epoch ms';
  return { rule, matches, misses, heardAt, ...(matchedAt === undefined ? {} : { matchedAt }) };
}

const bad = (at: string): { problem: string } => ({ problem: `reportMatches: ${at}` });
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_NAME &&
  value !== '__proto__' &&
  value.isWellFormed();
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
const isMoment = (value: unknown): value is number => isCount(value) && value <= LATEST;
