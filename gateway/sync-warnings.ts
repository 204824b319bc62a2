/**
 * What a synced document says that will have no effect: accepted (G-S3: words of newer SDKs must
 * not be refused), but whoever wrote it by hand is told. Pure.
 */
import { CADENCES, CHANNELS, DIMENSIONS, type ChannelName } from '../domain/words.js';
import type { SyncDocument, SyncedAlert, SyncedBudget } from './schemas.js';

const FIELDS = ['agent_name', 'budgets', 'alert_configs', 'org_budget', 'org_alert_configs'];
const OF_BUDGET = ['budget_type', 'period', 'limit_value', 'unit'];
const OF_ALERT = ['channel', 'threshold_pct', 'budget_type', 'target', 'secret'];
const PERIODS: readonly string[] = [...CADENCES, 'per_run'];
/** `loops` is the Python SDK's own guardrail: shown here, and nothing to warn of. */
const TYPES: readonly string[] = [...DIMENSIONS, 'loops'];

/** Why a channel will send nothing to that address, in words without it. */
export type RefuseTarget = (channel: ChannelName, address: string) => string | undefined;

/**
 * `budgets[0].period: "yearly" is no period here; shown, not evaluated`. At most 20. A target that
 * is refused is told here, and again with each alert that would have gone there.
 */
export function warningsOf(
  document: SyncDocument,
  refuseTarget: RefuseTarget = () => undefined,
): readonly string[] {
  const warnings = [
    ...unknownFields(document),
    ...document.budgets.flatMap((budget, i) =>
      unknownIn(budget, `budgets[${String(i)}]`, OF_BUDGET),
    ),
    ...document.alert_configs.flatMap((each, i) =>
      unknownIn(each, `alert_configs[${String(i)}]`, OF_ALERT),
    ),
    ...(document.org_alert_configs ?? []).flatMap((each, i) =>
      unknownIn(each, `org_alert_configs[${String(i)}]`, OF_ALERT),
    ),
    ...document.budgets.flatMap((budget, index) => ofBudget(budget, `budgets[${String(index)}]`)),
    ...(document.org_budget == null ? [] : ofBudget(document.org_budget, 'org_budget')),
    ...ofAlerts(document.alert_configs, 'alert_configs', document.budgets),
    ...ofAlerts(document.org_alert_configs ?? [], 'org_alert_configs', [
      ...(document.org_budget == null ? [] : [document.org_budget]),
      ...document.budgets.filter(({ period }) => period === 'per_run' || period === 'run'),
    ]),
    ...ofTargets(document.alert_configs, 'alert_configs', refuseTarget),
    ...ofTargets(document.org_alert_configs ?? [], 'org_alert_configs', refuseTarget),
  ];
  return warnings.slice(0, 20);
}

function unknownFields(document: SyncDocument): string[] {
  return Object.keys(document)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => `${quoted(field)} is no field of this document; ignored`);
}

/** An address under another name would be missed without a word, and its alerts go elsewhere. */
function unknownIn(entry: object, path: string, known: readonly string[]): string[] {
  return Object.keys(entry)
    .filter((field) => !known.includes(field))
    .map((field) => `${path}.${field.slice(0, 60)}: is no field here; ignored`);
}

function ofBudget({ budget_type, period }: SyncedBudget, path: string): string[] {
  const words = (field: string, word: string, known: readonly string[]): string[] =>
    known.includes(word)
      ? []
      : [`${path}.${field}: ${quoted(word)} is not known here; shown, not evaluated`];
  return [...words('budget_type', budget_type, TYPES), ...words('period', period, PERIODS)];
}

function ofAlerts(
  alerts: readonly SyncedAlert[],
  list: string,
  budgets: readonly SyncedBudget[],
): string[] {
  const held = new Set(budgets.map(({ budget_type }) => budget_type));
  return alerts.flatMap(({ channel, budget_type }, index) => {
    const path = `${list}[${String(index)}]`;
    if (!CHANNELS.some((each) => each === channel)) {
      return [`${path}.channel: ${quoted(channel)} is no channel here; it will never be told`];
    }
    if (budget_type === 'loops' || held.has(budget_type)) return [];
    return [`${path}.budget_type: no budget of ${quoted(budget_type)} is held; it never fires`];
  });
}

function ofTargets(
  alerts: readonly SyncedAlert[],
  list: string,
  refuseTarget: RefuseTarget,
): string[] {
  return alerts.flatMap(({ channel, target }, index) => {
    const known = CHANNELS.find((each) => each === channel);
    const address = target?.trim() ?? '';
    if (known === undefined || address === '') return [];
    const refusal = refuseTarget(known, address);
    return refusal === undefined ? [] : [`${list}[${String(index)}].target: ${refusal}`];
  });
}

const quoted = (word: string): string => JSON.stringify(word.slice(0, 60));
