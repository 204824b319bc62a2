/** What a campaign did and found, for people: one aligned table a set, and a verdict. */
import { balances, type Check } from '../bench/figure.js';
import { createOutput, type OutputStream } from '../cli/output.js';
import type { CampaignReport } from './campaign.js';

export function printReports(
  stream: OutputStream,
  env: NodeJS.ProcessEnv,
  reports: readonly CampaignReport[],
): void {
  const output = createOutput(stream, { env });
  const verdict = (check: Check): string =>
    balances(check) ? output.paint('good', 'balances') : output.paint('bad', 'DOES NOT BALANCE');
  const columns = (head: string) => [{ head }, { head: '', right: true }];
  for (const report of reports) {
    output.line();
    output.line(output.paint('strong', `${report.set}: ${report.what}`));
    output.table(columns('kill -9 of'), [
      ...Object.entries(report.kills).map(([name, count]) => [name, String(count)]),
      ['all', String(Object.values(report.kills).reduce((sum, count) => sum + count, 0))],
    ]);
    output.line();
    output.table(columns('load'), [
      ['seconds', String(report.seconds)],
      ['events acknowledged', String(report.events)],
      ['posts sent more than once', String(report.repeatedPosts)],
      ['thresholds crossed', String(report.crossings)],
      ['slowest message, s', (report.slowestMs / 1_000).toFixed(1)],
      ['messages repeated under their key', String(report.repeatedMessages)],
    ]);
    output.line();
    output.table(
      [
        { head: 'account' },
        { head: 'expected', right: true },
        { head: 'found', right: true },
        { head: '' },
      ],
      report.checks
        .filter(isCounted)
        .map((check) => [check.what, String(check.expected), String(check.actual), verdict(check)]),
    );
    for (const check of report.checks.filter((each) => !isCounted(each))) {
      output.line(`${check.what}: expected ${String(check.expected)}`);
      output.line(`  found ${String(check.actual)}: ${verdict(check)}`);
    }
  }
  output.line();
  const all = reports.flatMap(({ checks }) => checks);
  const wrong = all.filter((check) => !balances(check)).length;
  output.line(
    wrong === 0
      ? output.paint(
          'good',
          `All ${String(all.length)} accounts balance: nothing lost, nothing twice.`,
        )
      : output.paint('bad', `${String(wrong)} of ${String(all.length)} accounts do NOT balance.`),
  );
}

export function reportJson(reports: readonly CampaignReport[]): object {
  return {
    balanced: reports.every(({ checks }) => checks.every(balances)),
    sets: reports.map((report) => ({
      ...report,
      checks: report.checks.map((check) => ({ ...check, balances: balances(check) })),
    })),
  };
}

/** The others say one workflow each, in words: they would widen the table beyond reading. */
function isCounted({ expected }: Check): boolean {
  return typeof expected === 'number';
}
