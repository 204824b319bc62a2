/** How bad a crossing is: follows from its threshold alone (T6). */
import type { Priority, Severity } from './words.js';

/** Severity of a threshold in basis points: below 9,000 warning, below 10,000 error, else critical. */
export function severityOf(bps: number): Severity {
  if (bps < 9_000) return 'warning';
  return bps < 10_000 ? 'error' : 'critical';
}

const PRIORITY_OF = {
  warning: 'medium',
  error: 'high',
  critical: 'critical',
} as const satisfies Record<Severity, Priority>;

/** Priority of a budget's alert. */
export function priorityOf(severity: Severity): Priority {
  return PRIORITY_OF[severity];
}

const SEVERITY_OF = {
  low: 'warning',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
} as const satisfies Record<Priority, Severity>;

/** Of what has a priority of its own, as a rule or a notice. */
export function severityOfPriority(priority: Priority): Severity {
  return SEVERITY_OF[priority];
}

/** A7, A8. What may wake people by text message, and goes on to the operators unheard. */
export function isUrgent(priority: Priority): boolean {
  return priority === 'high' || priority === 'critical';
}

export type Level = 'WARN' | 'ALERT' | 'CRITICAL';

const LEVEL_OF = {
  warning: 'WARN',
  error: 'ALERT',
  critical: 'CRITICAL',
} as const satisfies Record<Severity, Level>;

/** The word templates call `{level}`. */
export function levelOf(severity: Severity): Level {
  return LEVEL_OF[severity];
}
