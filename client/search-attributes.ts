/**
 * The search attributes a workflow starts with, unless the namespace turned out to lack them.
 */
import type { SearchAttributePair } from '@temporalio/common';
import type { AlertInput } from '../domain/alert/state.js';
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

export function alertAttributes(input: AlertInput): SearchAttributePair[] {
  return [
    { key: kavachOrg, value: input.org },
    { key: kavachAgent, value: input.facts.agentName },
    { key: kavachState, value: 'firing' },
    { key: kavachSeverity, value: input.facts.severity },
  ];
}

/**
 * Runs a start with search attributes, and without where the namespace lacks them. The workflow
 * has to be told too (`policy.searchAttributes`): its own writes would be refused as well.
 */
export type AttributesGuard = <T>(start: (withAttributes: boolean) => Promise<T>) => Promise<T>;

const INVALID_ARGUMENT = 3;

/** One guard a client: the first refusal decides for all later starts, and is said once. */
export function createAttributesGuard(isWanted: boolean, log: Log): AttributesGuard {
  let saidRefusal = false;
  let isWantedStill = isWanted;
  return async (start) => {
    if (!isWantedStill) return start(false);
    try {
      return await start(true);
    } catch (error) {
      const { code, details } = grpcStatus(error);
      if (code !== INVALID_ARGUMENT || !/search ?attribute/i.test(details)) throw error;
      isWantedStill = false;
      // Starts that ran beside this one are refused too: only the first of them says so.
      if (!saidRefusal) {
        log.warn(
          { reason: details },
          'the namespace lacks the search attributes: workflows start without them; add ' +
            'KavachOrg, KavachAgent, KavachState and KavachSeverity (Keyword) and restart',
        );
      }
      saidRefusal = true;
      return start(false);
    }
  };
}
