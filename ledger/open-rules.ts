/** Rules and their counters on a database whose migrations have run: a part of `openLedger`. */
import type { Database } from './database.js';
import { countMetrics } from './metrics.js';
import {
  claimWatches,
  loadRules,
  publishRules,
  watchFailed,
  watchReported,
} from './rule-watches.js';
import { removeRule, rules, setRule } from './rules.js';
import type { RuleBook } from './rule-book.js';

export function openRuleBook(db: Database): RuleBook {
  return {
    rules: (org) => rules(db, org),
    setRule: (request) => setRule(db, request),
    removeRule: (request) => removeRule(db, request),
    countMetrics: (batch) => countMetrics(db, batch),
    claimWatches: (request) => claimWatches(db, request),
    watchReported: (claim, now, nextInMs) => watchReported(db, claim, now, nextInMs),
    watchFailed: (claim, failure) => watchFailed(db, claim, failure),
    loadRules: (org, agent, asked) => loadRules(db, org, agent, asked),
    publishRules: (published) => publishRules(db, published),
  };
}
