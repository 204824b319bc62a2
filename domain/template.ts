/**
 * Templates of spec §4: `{name}` is a variable, `{{` and `}}` are braces, everything else stays.
 * Values are put in once and escaped for their channel: a brace or a tag inside a value is text.
 */
import type { ThresholdFacts } from './alert/facts.js';
import { formatAmount, plainAmount, unitOf } from './amount.js';
import { formatUtcMinute } from './civil.js';
import { pctUsed } from './ratio.js';
import { levelOf } from './severity.js';

/** Escapes one value for where it is put: HTML, Slack's mrkdwn, or nothing at all. */
export type Escape = (value: string) => string;

/** All variables of a threshold's alert. `remaining` is never below 0, `pct` may pass 100. */
export function templateVariables(
  facts: ThresholdFacts,
  dashboardUrl: string,
): Record<string, string> {
  const { dimension, spent, limit } = facts;
  const remaining = Math.max(0, limit - spent);
  return {
    agent_name: facts.agentName,
    pct: String(pctUsed(spent, limit)),
    spent: plainAmount(dimension, spent),
    spent_fmt: formatAmount(dimension, spent),
    budget: plainAmount(dimension, limit),
    budget_fmt: formatAmount(dimension, limit),
    remaining: plainAmount(dimension, remaining),
    remaining_fmt: formatAmount(dimension, remaining),
    period: facts.cadence,
    budget_type: dimension,
    severity: facts.severity,
    dashboard_url: dashboardUrl,
    level: levelOf(facts.severity),
    resets_at: resetsAt(facts),
    unit: unitOf(dimension),
  };
}

/** In UTC: local time needs Intl, which workflows may not ask. */
function resetsAt(facts: ThresholdFacts): string {
  if (facts.cadence === 'run') return 'when the run ends';
  if (facts.cadence === 'total' || facts.resetsAt === undefined) return 'never';
  return formatUtcMinute(facts.resetsAt);
}

/** `'{pct}% of {{x}} {nobody}' -> '82% of {x} {nobody}'`. Never throws. */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, string>>,
  escape: Escape,
): string {
  return template.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name?: string) => {
    if (name === undefined) return found.charAt(0);
    // Own names only: `{constructor}` is nobody's variable.
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return value === undefined ? found : escape(value);
  });
}

/** Deeper than any message; what lies below is left as it is, so that no input ends the stack. */
const MAX_DEPTH = 100;

/** Renders every string inside arrays and objects (Slack's `blocks`); keys stay as they are. */
export function renderDeep(
  value: unknown,
  variables: Readonly<Record<string, string>>,
  escape: Escape,
  depth = 0,
): unknown {
  if (typeof value === 'string') return renderTemplate(value, variables, escape);
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return value;
  const inside = (item: unknown): unknown => renderDeep(item, variables, escape, depth + 1);
  if (Array.isArray(value)) return value.map(inside);
  // `fromEntries` defines keys, it does not set them: a `__proto__` in the input stays a key.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inside(item)]));
}
