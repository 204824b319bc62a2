/** Temporal from outside: the facade, the connection, and the reporter for agents that signal it. */
export { createKavachClient } from './client.js';
export type {
  AgentRef,
  KavachClient,
  KavachClientOptions,
  ReportAnswer,
  WorkflowHistory,
} from './client.js';
export type { UpdateAnswer } from './answer-update.js';
export { connectTemporal, loadSettings } from './connect.js';
export type { ConnectOptions, TemporalConnection } from './connect.js';
export { describeFailure } from './failure.js';
export type { ClientFailure, FailureKind } from './failure.js';
export { httpPeriods } from './http-periods.js';
export type { HttpPeriodsOptions } from './http-periods.js';
export { httpRules } from './http-rules.js';
export type { HttpRulesOptions } from './http-rules.js';
export type { Log } from './log.js';
export { createMetricReporter } from './metric-reporter.js';
export type { KnownRules, MetricReporter, MetricReporterOptions } from './metric-reporter.js';
export { createReporter } from './reporter.js';
export type { Reporter, ReporterOptions, Usage } from './reporter.js';
export type { ReporterPeriod } from './reporter-period.js';
export { systemTimers } from './timers.js';
export type { Timers } from './timers.js';
