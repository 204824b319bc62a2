/** `kavach`: budgets for an agent, around its calls to a model provider. */
export { AgentKavach, type CreateOf, type GuardStatus } from './agent-kavach.js';
export { Budget, type Period } from './budget.js';
export {
  ChannelType,
  type ChannelConfig,
  type ChannelOptions,
  type MessageTemplate,
} from './channel.js';
export {
  BudgetExceededError,
  CallLimitError,
  ConfigurationError,
  GuardrailError,
  IngestRejectedError,
  LoopDetectedError,
  RuntimeLimitError,
  TokenLimitError,
  UnboundedCallError,
  UnreachableError,
} from './errors.js';
export type { Fault } from './faults.js';
export type { KillReason } from './kill-reason.js';
export type {
  AgentKavachOptions,
  CallBound,
  Logger,
  Provider,
  StandaloneOptions,
} from './options.js';
export type { ModelRates } from './price.js';
export type { Bill, BoundedCall, RecordedCall, Usage } from './record.js';
export {
  syncDocument,
  type SyncDocument,
  type SyncedAlert,
  type SyncedBudget,
} from './sync-document.js';
