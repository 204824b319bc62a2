/** `kavach status [budget]`: what is spent, what it is held to, and how long it lasts at this pace. */
import { formatAmount } from '../domain/amount.js';
import { budgetWorkflowId } from '../domain/ids.js';
import { formatMoney, groupDigits } from '../domain/money.js';
import type { BudgetStatusView, LimitStatus, StatusView } from '../gateway/views.js';
import { CliError, type Gateway } from './http.js';
import { formatMoment } from './moment.js';
import { guardsText, hasLeases, leasedText, leasesText } from './lease-text.js';
import { originText } from './limits.js';
import type { Output, Tone } from './output.js';

/** All open budgets, or one by its id or its agent's name. */
export async function showStatus(
  gateway: Gateway,
  output: Output,
  budget: string | undefined,
): Promise<void> {
  if (budget === undefined) {
    showAll(output, (await gateway.get('/v1/status')) as StatusView);
    return;
  }
  const found = await findById(gateway, budget);
  if (found !== undefined) {
    output.json(found);
    showOne(output, found);
    return;
  }
  const path = `/v1/status?agent=${encodeURIComponent(budget)}`;
  const status = (await gateway.get(path)) as StatusView;
  if (status.budgets.length === 0) {
    throw new CliError(
      `There is no budget ${JSON.stringify(budget)}, and no agent of that name has an open one: ` +
        '`kavach status` lists them',
    );
  }
  showAll(output, status);
}

async function findById(gateway: Gateway, id: string): Promise<BudgetStatusView | undefined> {
  const path = `/v1/budgets/${encodeURIComponent(id)}`;
  try {
    return (await gateway.get(path)) as BudgetStatusView;
  } catch (error) {
    if (error instanceof CliError && error.status === 404) return undefined;
    throw error;
  }
}

function showAll(output: Output, status: StatusView): void {
  output.json(status);
  const { usage, stopped, budgets, relay } = status;
  const events = groupDigits(String(usage.events));
  const tokens = groupDigits(String(usage.tokens));
  const least = usage.saturated === true ? ' (at least: a sum has reached the largest number)' : '';
  output.line(
    `Counted so far: ${events} events, ${tokens} tokens, ${formatMoney(usage.cost)}${least}`,
  );
  for (const { agent, by, at, reason } of stopped) {
    const word = output.paint('bad', 'stopped');
    output.line(`Agent ${agent} is ${word} by ${by} since ${formatMoment(at)}: ${reason}`);
  }
  if (relay.parked > 0) {
    output.line(output.paint('bad', `${String(relay.parked)} periods are parked; see the log`));
  }
  output.line();
  if (budgets.length === 0) {
    output.line('No budget is open: an SDK syncs one, or `kavach limits set` does.');
    return;
  }
  const isLeased = budgets.some(hasLeases);
  output.table(
    [
      { head: 'BUDGET' },
      { head: 'CADENCE' },
      { head: 'SPENT', right: true },
      ...(isLeased ? [{ head: 'LEASED', right: true }, { head: 'GUARDS' }] : []),
      { head: 'LIMIT', right: true },
      { head: 'USED', right: true },
      { head: 'PER HOUR', right: true },
      { head: 'REACHED' },
      { head: 'ALERTS', right: true },
      { head: 'FROM' },
      { head: 'STATE' },
      { head: 'ID' },
    ],
    budgets.flatMap((budget) =>
      budget.status.map((limit) => rowOf(output, budget, { ...limit, isLeased })),
    ),
  );
}

function rowOf(
  output: Output,
  budget: BudgetStatusView,
  limit: LimitStatus & { readonly isLeased: boolean },
): string[] {
  const { dimension } = limit;
  return [
    budget.name,
    budget.key.cadence,
    spentText(budget, limit),
    ...(limit.isLeased ? [leasedText(budget, dimension), guardsText(output, budget)] : []),
    formatAmount(dimension, limit.limit),
    usedOf(output, limit),
    dimension === 'duration' ? '' : formatAmount(dimension, limit.perHour),
    reachedAt(limit),
    String(budget.firings),
    originText(dimension, limit.origin),
    stateOf(output, budget),
    budget.id,
  ];
}

function showOne(output: Output, budget: BudgetStatusView): void {
  const { key, window, killed } = budget;
  const until = window.endsAt === undefined ? 'open end' : formatMoment(window.endsAt);
  output.line(`${output.paint('strong', budget.name)}, ${key.cadence}: ${stateOf(output, budget)}`);
  output.line(`From ${formatMoment(window.startsAt)} to ${until} (${window.zone})`);
  if (killed !== undefined) {
    const at = `${String(killed.bps / 100)} % of ${killed.dimension}`;
    output.line(`Killed at ${at}, ${formatMoment(killed.at)}`);
  }
  if (hasLeases(budget)) output.line(`Leases: ${leasesText(output, budget)}`);
  if (budget.parkedReason !== undefined) output.line(`Parked: ${budget.parkedReason}`);
  output.line();
  const isLeased = hasLeases(budget);
  const rows = budget.status.map((limit) => {
    const configured = budget.limits.limits.find(({ dimension }) => dimension === limit.dimension);
    const thresholds = (configured?.thresholds ?? []).map(
      ({ bps, routes }) =>
        `${String(bps / 100)} % ${routes.map(({ channel }) => channel).join('+')}`,
    );
    const { dimension } = limit;
    return [
      dimension,
      spentText(budget, limit),
      ...(isLeased ? [leasedText(budget, dimension)] : []),
      formatAmount(dimension, limit.limit),
      originText(dimension, limit.origin),
      usedOf(output, limit),
      configured?.enforcement ?? '',
      reachedAt(limit),
      thresholds.join(', '),
    ];
  });
  output.table(
    [
      { head: 'DIMENSION' },
      { head: 'SPENT', right: true },
      ...(isLeased ? [{ head: 'LEASED', right: true }] : []),
      { head: 'LIMIT', right: true },
      { head: 'FROM' },
      { head: 'USED', right: true },
      { head: 'AT THE LIMIT' },
      { head: 'REACHED' },
      { head: 'THRESHOLDS' },
    ],
    rows,
  );
  output.line();
  output.line(`Alerts fired: ${String(budget.firings)}`);
  output.line(`Workflow: ${budgetWorkflowId(key)}`);
}

function stateOf(output: Output, { state, killed, blocked }: BudgetStatusView): string {
  if (killed !== undefined) return output.paint('bad', 'killed');
  if (blocked) return output.paint('bad', 'blocked');
  return state === 'parked' ? output.paint('warning', state) : state;
}

/** B1. A sum that reached the largest number says only how much it was at least. */
function spentText(budget: BudgetStatusView, { dimension, spent }: LimitStatus): string {
  return `${budget.saturated === true ? '≥ ' : ''}${formatAmount(dimension, spent)}`;
}

/** As in messages (spec §4): a whole number, rounded down. */
function usedOf(output: Output, { spent, limit }: LimitStatus): string {
  const percent = limit === 0 ? 100n : (BigInt(spent) * 100n) / BigInt(limit);
  const tone: Tone = percent >= 100n ? 'bad' : percent >= 80n ? 'warning' : 'good';
  return output.paint(tone, `${String(percent)} %`);
}

function reachedAt({ exhausted, exhaustsAt }: LimitStatus): string {
  if (exhausted) return 'now';
  return exhaustsAt === undefined ? '' : formatMoment(exhaustsAt);
}
