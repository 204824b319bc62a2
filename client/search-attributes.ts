/**
 * The search attributes a workflow starts with, unless the namespace turned out to lack them.
 */
import type { SearchAttributePair } from '@temporalio/common';
import type { Policy } from '../domain/alert/policy.js';
import type { AlertInput } from '../domain/alert/state.js';
import type { DigestRef } from '../domain/digest/state.js';
import type { PeriodOpening } from '../domain/budget/input.js';
import {
  kavachAgent,
  kavachOrg,
  kavachSeverity,
  kavachState,
} from '../workflows/search-attributes.js';
import { grpcStatus } from './failure.js';
import type { Log } from './log.js';

export function periodAttributes({ key }: PeriodOpening): SearchAttributePair[] {
  const agent = key.scope === 'org' ? undefined : key.scope.slice('agent:'.length);
  return [
    { key: kavachOrg, value: key.org },
    ...(agent === undefined ? [] : [{ key: kavachAgent, value: agent }]),
    { key: kavachState, value: 'open' },
  ];
}

export function agentAttributes({
  org,
  agent,
}: {
  readonly org: string;
  readonly agent: string;
}): SearchAttributePair[] {
  return [
    { key: kavachOrg, value: org },
    { key: kavachAgent, value: agent },
    { key: kavachState, value: 'open' },
  ];
}

export function alertAttributes(input: AlertInput): SearchAttributePair[] {
  return [
    { key: kavachOrg, value: input.org },
    { key: kavachAgent, value: input.facts.agentName },
    { key: kavachState, value: 'firing' },
    { key: kavachSeverity, value: input.facts.severity },
  ];
}

export function digestAttributes({ org }: DigestRef): SearchAttributePair[] {
  return [{ key: kavachOrg, value: org }];
}

/**
 * Runs a start with search attributes where `policy` has them, and without where the namespace
 * refuses them. The workflow has to be told too (`searchAttributes` of its policy): its own
 * writes would be refused as well.
 */
export type AttributesGuard = <T>(
  policy: Policy,
  start: (frozen: Policy) => Promise<T>,
) => Promise<T>;

const INVALID_ARGUMENT = 3;

/** One guard a client: the first refusal decides for all later starts, and is said once. */
export function createAttributesGuard(log: Log): AttributesGuard {
  const refusal = { isKnown: false };
  return async (policy, start) => {
    const bare = { ...policy, searchAttributes: false };
    if (!policy.searchAttributes || refusal.isKnown) return start(bare);
    try {
      return await start({ ...policy });
    } catch (error) {
      const { code, details } = grpcStatus(error);
      if (code !== INVALID_ARGUMENT || !/search ?attribute/i.test(details)) throw error;
      sayOnce(refusal, details, log);
      return start(bare);
    }
  };
}

/** Starts that ran beside the first refused one are refused too: only the first of them says so. */
function sayOnce(refusal: { isKnown: boolean }, reason: string, log: Log): void {
  if (refusal.isKnown) return;
  refusal.isKnown = true;
  log.warn(
    { reason },
    'the namespace lacks the search attributes: workflows start without them; add ' +
      'KavachOrg, KavachAgent, KavachState and KavachSeverity (Keyword) and restart',
  );
}
