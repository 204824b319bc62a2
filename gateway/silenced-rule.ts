/**
 * The rule of a silence (A13): people name it by its name or its id, alerts are held by its id, and
 * whoever reads a silence sees both.
 */
import { nearestWord } from '../domain/nearest.js';
import type { RuleView, Silence } from '../ledger/ledger.js';
import { unprocessable } from './schemas.js';

const NEAR = 3;

/** Its id; an id wins over a name. Throws a `Problem` (422) that names the nearest one. */
export function ruleIdOf(rules: readonly RuleView[], given: string): string {
  const found = rules.find(({ id }) => id === given) ?? rules.find(({ name }) => name === given);
  if (found !== undefined) return found.id;
  const names = rules.map(({ name }) => name);
  const meant = nearestWord(given, names, NEAR);
  const hint =
    names.length === 0
      ? 'there is no rule yet'
      : meant === undefined
        ? '/v1/rules lists them'
        : `did you mean ${JSON.stringify(meant)}?`;
  throw unprocessable('rule', `is no rule's name or id: ${hint}`);
}

/** With `ruleName` where there is such a rule still. */
export function withRuleName(silence: Silence, rules: readonly RuleView[]) {
  const named = rules.find(({ id }) => id === silence.rule);
  return named === undefined ? silence : { ...silence, ruleName: named.name };
}
