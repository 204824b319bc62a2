/**
 * What every start carries beside its input: readable texts for Temporal's UI, and the search
 * attributes, unless the namespace turned out to lack them.
 */
import { TypedSearchAttributes } from '@temporalio/common';
import type { AlertInput } from '../domain/alert/state.js';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes.js';
import { grpcStatus } from './failure.js';
import type { Log } from './log.js';
import {
  alertDetails,
  alertSummary,
  periodDetails,
  periodSummary,
  type DescribedPeriod,
} from './summaries.js';

export interface StartTexts {
  readonly staticSummary: string;
  readonly staticDetails: string;
  readonly typedSearchAttributes?: TypedSearchAttributes;
}

export function periodTexts(period: DescribedPeriod): StartTexts {
  const { org, scope } = period.key;
  return {
    staticSummary: periodSummary(period),
    staticDetails: periodDetails(period),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.org, value: org },
      ...(scope === 'org'
        ? []
        : [{ key: SEARCH_ATTRIBUTES.agent, value: scope.slice('agent:'.length) }]),
      { key: SEARCH_ATTRIBUTES.state, value: 'open' },
    ]),
  };
}

export function alertTexts(input: AlertInput): StartTexts {
  return {
    staticSummary: alertSummary(input),
    staticDetails: alertDetails(input),
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.org, value: input.org },
      { key: SEARCH_ATTRIBUTES.agent, value: input.facts.agentName },
      { key: SEARCH_ATTRIBUTES.state, value: 'firing' },
      { key: SEARCH_ATTRIBUTES.severity, value: input.facts.severity },
    ]),
  };
}

/** Runs a start with its attributes; goes on without, for good, where the namespace lacks them. */
export type AttributesGuard = <T>(
  texts: StartTexts,
  start: (texts: StartTexts) => Promise<T>,
) => Promise<T>;

const INVALID_ARGUMENT = 3;

/** One guard a client: the first refusal decides for all later starts, and is said once. */
export function createAttributesGuard(log: Log): AttributesGuard {
  let isLacking = false;
  return async (texts, start) => {
    const { typedSearchAttributes: _unindexed, ...bare } = texts;
    if (isLacking) return start(bare);
    try {
      return await start(texts);
    } catch (error) {
      const { code, details } = grpcStatus(error);
      if (code !== INVALID_ARGUMENT || !/search ?attribute/i.test(details)) throw error;
      // Starts that ran beside this one are refused too: only the first of them says so.
      if (!isLacking) {
        log.warn(
          { reason: details },
          'the namespace lacks the search attributes: workflows start without them; add ' +
            'KavachOrg, KavachAgent, KavachState and KavachSeverity (Keyword) and restart',
        );
      }
      isLacking = true;
      return start(bare);
    }
  };
}
