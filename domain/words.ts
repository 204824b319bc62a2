/** The closed word lists of the trade (spec §1). Wire values and code use the same words. */

export const DIMENSIONS = ['cost', 'tokens_total', 'calls', 'duration'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const CADENCES = ['run', 'hourly', 'daily', 'weekly', 'monthly', 'total'] as const;
export type Cadence = (typeof CADENCES)[number];

export const CHANNELS = ['push', 'email', 'sms', 'slack', 'pagerduty', 'webhook', 'kill'] as const;
export type ChannelName = (typeof CHANNELS)[number];

export const SEVERITIES = ['warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const PRIORITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What an API key may do; `admin` may do all of it. */
export const KEY_SCOPES = ['ingest', 'sync', 'read', 'operate', 'admin'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** B9. `block` refuses at the limit, with or without a kill channel; `alert` only tells. */
export type Enforcement = 'alert' | 'block';
