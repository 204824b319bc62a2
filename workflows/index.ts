/** Everything a worker registers. */
export { agent } from './agent.js';
export { alert } from './alert.js';
export { digest } from './digest.js';
export { budgetPeriod } from './budget-period.js';
export * from './messages.js';
