/** What Resend's error names mean. The package turns every answer into a name, or into none. */
import type { Outcome, OutcomeKind } from '../domain/alert/outcome.js';
import { kindOfStatus, outcomeOf } from './errors.js';
import { redact } from './redact.js';

/** An error as the package hands it on: a proxy's JSON comes through raw, whatever its shape. */
export interface ResendError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly statusCode?: unknown;
}

interface Named {
  readonly status: number;
  readonly kind: OutcomeKind;
}

/** The status is the documented one, for errors that come without theirs. */
const NAMES: Readonly<Record<string, Named>> = {
  rate_limit_exceeded: { status: 429, kind: 'throttled' },
  concurrent_idempotent_requests: { status: 409, kind: 'throttled' },
  // Quotas outlive the whole ladder: fall back now.
  daily_quota_exceeded: { status: 429, kind: 'permanent_config' },
  monthly_quota_exceeded: { status: 429, kind: 'permanent_config' },
  application_error: { status: 500, kind: 'transient' },
  internal_server_error: { status: 500, kind: 'transient' },
  // The key was used with other bytes, so a mail under it was taken before. A new key would double it.
  invalid_idempotent_request: { status: 409, kind: 'accepted' },
  invalid_idempotency_key: { status: 400, kind: 'permanent_config' },
  validation_error: { status: 422, kind: 'permanent_config' },
  missing_required_field: { status: 422, kind: 'permanent_config' },
  invalid_parameter: { status: 422, kind: 'permanent_config' },
  invalid_from_address: { status: 422, kind: 'permanent_config' },
  invalid_attachment: { status: 422, kind: 'permanent_config' },
  invalid_access: { status: 422, kind: 'permanent_config' },
  invalid_region: { status: 422, kind: 'permanent_config' },
  missing_api_key: { status: 401, kind: 'permanent_config' },
  restricted_api_key: { status: 401, kind: 'permanent_config' },
  invalid_api_key: { status: 403, kind: 'permanent_config' },
  security_error: { status: 451, kind: 'permanent_config' },
  not_found: { status: 404, kind: 'permanent_config' },
  method_not_allowed: { status: 405, kind: 'permanent_config' },
};

export interface ErrorContext {
  readonly retryAfter: string | undefined;
  readonly now: number;
  /** Whatever must not show in a reason: key, address (C-4). */
  readonly secrets: readonly string[];
}

export function outcomeOfResendError(error: ResendError, context: ErrorContext): Outcome {
  const name = typeof error.name === 'string' ? error.name : undefined;
  const status = typeof error.statusCode === 'number' ? error.statusCode : undefined;
  const named = name !== undefined && Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  // No answer, or one that cannot be read. The key makes a repeat safe.
  if (error.statusCode === null) {
    return { kind: 'ambiguous', reason: 'no readable answer after sending' };
  }
  if (named === undefined && status === undefined) {
    return { kind: 'transient', reason: 'an error without name or status, as of a proxy' };
  }
  const kind = kindOf(name, named, status, error.message);
  const words = [named === undefined ? '' : (name ?? ''), explain(kind, error, context.secrets)];
  return outcomeOf({
    kind,
    status: status ?? named?.status ?? 0,
    word: words.filter((part) => part !== '').join(': '),
    retryAfter: context.retryAfter,
    now: context.now,
  });
}

function kindOf(
  name: string | undefined,
  named: Named | undefined,
  status: number | undefined,
  message: unknown,
): OutcomeKind {
  // The package names every unreadable error page `application_error`: there the status decides.
  if (named === undefined || name === 'application_error') return kindOfStatus(status ?? 500);
  if (name === 'validation_error' && namesRecipient(message)) return 'permanent_recipient';
  return named.kind;
}

/** Resend writes field names in backticks. */
function namesRecipient(message: unknown): boolean {
  return typeof message === 'string' && /[`'"]to[`'"]/.test(message);
}

/** An operator has to read why a mail cannot be sent; for what passes the name is enough. */
function explain(kind: OutcomeKind, error: ResendError, secrets: readonly string[]): string {
  if (kind === 'accepted') return 'presumed sent earlier under this key';
  const isPermanent = kind === 'permanent_config' || kind === 'permanent_recipient';
  return isPermanent && typeof error.message === 'string' ? redact(error.message, secrets) : '';
}
