/**
 * Rotation of a webhook's secret: for a grace the old one signs beside the new one, so that its
 * receiver can change when it is ready. Newest first.
 */
import type { OpenDestination } from '../domain/alert/message.js';

/** What is sealed: the destination, and secrets that are on their way out. */
export interface SealedDestination extends OpenDestination {
  readonly retired?: readonly RetiredSecret[];
}

interface RetiredSecret {
  readonly secret: string;
  /** From then on it signs nothing, epoch ms. */
  readonly until: number;
}

/** A document that brings a new secret with every sync must not grow its destination for ever. */
const MAX_RETIRED = 10;

/** What is stored after `before` when `given` is put. Who wants no signature gets none at once. */
export function rotated(
  before: SealedDestination | undefined,
  given: OpenDestination,
  now: number,
  graceMs: number,
): SealedDestination {
  const { secrets } = given;
  if (secrets === undefined || before === undefined) return given;
  const old = (before.secrets ?? []).map((secret) => ({ secret, until: now + graceMs }));
  const retired = [...old, ...(before.retired ?? [])]
    .filter(({ secret, until }) => until > now && !secrets.includes(secret))
    .slice(0, MAX_RETIRED);
  return retired.length === 0 ? given : { ...given, retired };
}

/** As it may be used now. */
export function openAt(
  { retired = [], ...destination }: SealedDestination,
  now: number,
): OpenDestination {
  const valid = retired.filter(({ until }) => until > now).map(({ secret }) => secret);
  if (valid.length === 0) return destination;
  return { ...destination, secrets: [...(destination.secrets ?? []), ...valid] };
}
