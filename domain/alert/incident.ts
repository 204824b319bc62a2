/**
 * T9. What incident an alert belongs to: alerts of one budget, period and dimension share it, and
 * those of one rule and agent; notices share one by what they are about.
 */
import { incidentKey } from '../ids.js';
import { assertNever } from '../step.js';
import type { AlertInput } from './state.js';

export function incidentOf(input: AlertInput): string {
  switch (input.kind) {
    case 'threshold':
      return incidentKey(input.subject, input.facts.dimension);
    case 'rule':
      return incidentKey(`${input.subject} ${input.facts.rule}`, 'rule');
    case 'notice': {
      // Each of an agent's notices is news of its own: none may vanish in another's incident.
      const about = input.facts.topic === 'agent' ? input.id : `${input.org} ${input.subject}`;
      return incidentKey(about, 'notice');
    }
    default:
      return assertNever(input);
  }
}
