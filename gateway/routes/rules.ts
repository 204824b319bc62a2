/** Rules on metrics (R1): made, changed and removed at run time; a change holds at once. */
import { conditionTextFault } from '../../domain/condition-text.js';
import { isConditionFault, parseCondition, type Rule } from '../../domain/rule.js';
import type { RuleView } from '../../ledger/ledger.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem } from '../problem.js';
import { recipientWarnings } from '../recipient-warnings.js';
import { agentSeen } from '../rights.js';
import {
  removeRuleBody,
  ruleAnswer,
  ruleBody,
  rulePath,
  rulesAnswer,
  rulesQuery,
  type RuleBody,
} from '../rule-schemas.js';
import { unprocessable } from '../schemas.js';

const listRules = {
  ...{ method: 'get', path: '/v1/rules', id: 'listRules' },
  summary: 'Rules on metrics, by name',
  scopes: ['read', 'ingest'],
  forAgentKeys: true,
  query: rulesQuery,
  answers: { 200: { description: 'All, or those about one agent', schema: rulesAnswer } },
} as const satisfies Operation;

const createRule = {
  ...{ method: 'post', path: '/v1/rules', id: 'createRule' },
  summary: 'Make a rule on a metric',
  scopes: ['operate'],
  body: ruleBody,
  answers: { 200: { description: 'It holds from now on', schema: ruleAnswer } },
  problems: [409],
} as const satisfies Operation;

const replaceRule = {
  ...{ method: 'put', path: '/v1/rules/:id', id: 'replaceRule' },
  summary: 'Change a rule',
  description: 'All of it: what is left out has its default. Open alerts go on under the new one.',
  scopes: ['operate'],
  params: rulePath,
  body: ruleBody,
  answers: { 200: { description: 'It holds from now on', schema: ruleAnswer } },
  problems: [404, 409],
} as const satisfies Operation;

const removeRule = {
  ...{ method: 'delete', path: '/v1/rules/:id', id: 'removeRule' },
  summary: 'Remove a rule; its open alerts end',
  scopes: ['operate'],
  params: rulePath,
  body: removeRuleBody,
  answers: { 200: { description: 'As it was', schema: ruleAnswer } },
  problems: [404],
} as const satisfies Operation;

export function addRuleRoutes(routes: Routes, gateway: Gateway): void {
  const { ledger, log, now, newId } = gateway;

  routes.add(listRules, async (c, { query }) => {
    const key = c.get('key');
    const agent = agentSeen(key, query.agent);
    const { rev, rules } = await ledger.rules(key.org);
    const seen = rules.filter((rule) => agent === undefined || isAbout(rule, agent));
    return c.json({ rev, rules: seen.map((rule) => viewOf(rule, key.agent !== undefined)) });
  });

  routes.add(createRule, async (c, { body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    const rule = ruleOf(newId(), body);
    const answer = await ledger.setRule({ org, rule, by, now: now(), isNew: true });
    if (answer.type !== 'set') throw refused(answer.type, rule);
    log.warn({ requestId: c.get('requestId'), rule: rule.id, by }, 'rule made');
    const warnings = await recipientWarnings(ledger, org, rule.recipients);
    return c.json({ changed: answer.changed, rule: viewOf(answer.rule), ...told(warnings) });
  });

  routes.add(replaceRule, async (c, { params: { id }, body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    const rule = ruleOf(id, body);
    const answer = await ledger.setRule({ org, rule, by, now: now(), isNew: false });
    if (answer.type !== 'set') throw refused(answer.type, rule);
    const { changed } = answer;
    log.warn({ requestId: c.get('requestId'), rule: id, by, changed }, 'rule changed');
    const warnings = await recipientWarnings(ledger, org, rule.recipients);
    return c.json({ changed, rule: viewOf(answer.rule), ...told(warnings) });
  });

  routes.add(removeRule, async (c, { params: { id }, body }) => {
    const { org, name } = c.get('key');
    const { by = name } = body;
    const removed = await ledger.removeRule({ org, id, by, now: now() });
    if (removed === undefined) throw unknown(id);
    log.warn({ requestId: c.get('requestId'), rule: id, by }, 'rule removed');
    return c.json({ changed: true, rule: viewOf(removed) });
  });
}

/** Throws a `Problem` (422) that names where the condition is wrong (R1). */
function ruleOf(id: string, body: RuleBody): Rule {
  const { name, agentId: agent, condition, channels, priority, cooldownSeconds, userIds } = body;
  const read = conditionTextFault(condition) ?? parseCondition(condition);
  if (isConditionFault(read)) throw unprocessable('condition', read.message);
  return {
    ...{ id, name, agent, condition, channels, priority },
    ...{ cooldownMs: cooldownSeconds * 1_000, recipients: userIds },
  };
}

/** Who else is told is none of an agent's business. */
function viewOf(rule: RuleView, isForAgent = false) {
  const { agent, cooldownMs, recipients, ...rest } = rule;
  return {
    ...rest,
    ...{ agentId: agent, cooldownSeconds: cooldownMs / 1_000 },
    userIds: isForAgent ? [] : recipients,
  };
}

const told = (warnings: readonly string[]) => (warnings.length === 0 ? {} : { warnings });

const isAbout = ({ agent }: RuleView, name: string): boolean => agent === '*' || agent === name;

function refused(type: 'taken' | 'unknown' | 'full', { id, name }: Rule): Problem {
  if (type === 'unknown') return unknown(id);
  const named = JSON.stringify(name.slice(0, 64));
  const detail =
    type === 'taken'
      ? `There is a rule ${named} already: change that one (PUT), or choose another name.`
      : `${named} would be one rule too many: remove one that is not needed.`;
  return new Problem({ status: 409, title: 'Not made', detail, path: 'name' });
}

function unknown(id: string): Problem {
  return new Problem({
    status: 404,
    title: 'Unknown rule',
    detail: `There is no rule ${JSON.stringify(id.slice(0, 64))}: /v1/rules lists them.`,
  });
}
