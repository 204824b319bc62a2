/**
 * C2. The organisation's budget is united from what each agent synced of it. The parts are kept
 * with its configuration, so that an agent's next sync replaces its own part and no other.
 */
import type { Threshold } from '../budget/limits.js';
import type { Budget, ScopeConfiguration } from '../configuration.js';
import { CADENCES, type Cadence } from '../words.js';
import { enforcementOf, mergeThresholds, sortThresholds } from './thresholds.js';

export interface OrgPart {
  readonly kind: 'org_part';
  readonly agent: string;
  readonly cadence: Cadence;
  /** Nano-USD: only cost is pooled. */
  readonly amount: number;
  /** Its kills name the agent that synced them. */
  readonly thresholds: readonly Threshold[];
}

export interface UnitedParts {
  readonly budgets: readonly Budget[];
  /** The parts and what else was shown, to be stored with them. */
  readonly shown: readonly unknown[];
  /** Agents that disagree about a limit: the last writer's holds. */
  readonly conflicts: readonly { readonly cadence: Cadence; readonly text: string }[];
}

/** Undefined: nothing changes. The part that changed goes last, as the last writer's limit holds. */
export function replacePart(
  configuration: ScopeConfiguration,
  agent: string,
  part: OrgPart | undefined,
): UnitedParts | undefined {
  const shown = configuration.shown ?? [];
  const parts = shown.filter(isOrgPart);
  const own = parts.find((each) => each.agent === agent);
  if (isSame(own, part)) return undefined;
  const others = parts.filter((each) => each !== own);
  const next = part === undefined ? others : [...others, part];
  const rest = shown.filter((each) => !isOrgPart(each));
  return { ...uniteParts(next), shown: [...rest, ...next] };
}

function uniteParts(parts: readonly OrgPart[]): Pick<UnitedParts, 'budgets' | 'conflicts'> {
  const conflicts: UnitedParts['conflicts'][number][] = [];
  const budgets = CADENCES.flatMap((cadence): Budget[] => {
    const concerned = parts.filter((part) => part.cadence === cadence);
    const last = concerned.at(-1);
    if (last === undefined) return [];
    const differing = concerned.filter((part) => part.amount !== last.amount);
    if (differing.length > 0) {
      const agents = differing.map((part) => part.agent).join(', ');
      const text = `${cadence}: the limit of ${last.agent} holds, not that of ${agents}`;
      conflicts.push({ cadence, text });
    }
    const thresholds = sortThresholds(
      concerned.reduce<Threshold[]>((all, part) => mergeThresholds(all, part.thresholds), []),
    );
    const enforcement = enforcementOf(thresholds);
    return [
      { cadence, limits: [{ dimension: 'cost', amount: last.amount, enforcement, thresholds }] },
    ];
  });
  return { budgets, conflicts };
}

function isOrgPart(shown: unknown): shown is OrgPart {
  return (
    typeof shown === 'object' && shown !== null && 'kind' in shown && shown.kind === 'org_part'
  );
}

/** Through the ledger's JSON the order of keys may change, that of lists does not. */
function isSame(a: OrgPart | undefined, b: OrgPart | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonical(a) === canonical(b);
}

function canonical({ agent, cadence, amount, thresholds }: OrgPart): string {
  const routes = thresholds.map(({ bps, routes }) => [
    bps,
    ...routes.map(({ channel, destination, agents }) => [channel, destination, agents]),
  ]);
  return JSON.stringify([agent, cadence, amount, routes]);
}
