/**
 * `npm run faults`: kills parts of the service at random under load, and checks every account.
 * Exits 1 where one does not balance, or a campaign did not come to its end.
 */
import { runCommand } from '../bench/command.js';
import { balances } from '../bench/figure.js';
import { awayFromMidnight } from '../bench/load.js';
import { longestMs, runCampaign, type CampaignReport } from './campaign.js';
import { startEmbeddedTarget } from './embedded.js';
import { startProcessesTarget } from './processes.js';
import { printReports, reportJson } from './report.js';
import type { Target, TargetName, TargetOptions } from './target.js';

const HELP = `Usage: npm run faults -- [--kills 300] [--seed 1] [--set embedded|processes|both] [--every 2000] [--json]

  --kills   kill -9 so often; with both sets, half of them each
  --seed    of who is killed, and when
  --set     embedded: what \`kavach up\` starts (default: both)
            processes: two gateways, relays and workers on one Postgres and one Temporal server
  --every   milliseconds of quiet before a kill, on average
  --json    one JSON document on standard output

Examples:
  npm run faults -- --kills 300 --seed 7
  npm run faults -- --kills 20 --set processes --json > faults.json`;

interface Arguments {
  kills: number;
  seed: number;
  everyMs: number;
  sets: readonly TargetName[];
  json: boolean;
}

const SETS: Readonly<Record<string, readonly TargetName[]>> = {
  embedded: ['embedded'],
  processes: ['processes'],
  both: ['embedded', 'processes'],
};
const START: Readonly<Record<TargetName, (options: TargetOptions) => Promise<Target>>> = {
  embedded: startEmbeddedTarget,
  processes: startProcessesTarget,
};

/** Answers a sentence where the arguments make no sense. */
function readArguments(given: readonly string[]): Arguments | string {
  const read: Arguments = {
    kills: 300,
    seed: 1,
    everyMs: 2_000,
    sets: SETS['both'] ?? [],
    json: false,
  };
  for (let i = 0; i < given.length; i += 1) {
    const [word = '', inline] = (given[i] ?? '').split('=', 2);
    if (word === '--json') {
      read.json = true;
      continue;
    }
    if (!['--kills', '--seed', '--set', '--every'].includes(word))
      return `There is no argument ${word}`;
    const text = inline ?? given[(i += 1)] ?? '';
    if (word === '--set') {
      const sets = SETS[text];
      if (sets === undefined) return `--set: expected embedded, processes or both, not "${text}"`;
      read.sets = sets;
      continue;
    }
    if (!/^\d{1,9}$/.test(text)) return `${word}: expected a whole number, not "${text}"`;
    if (word === '--kills') read.kills = Number(text);
    else if (word === '--seed') read.seed = Number(text);
    else read.everyMs = Number(text);
  }
  return read;
}

async function run(read: Arguments, signal: AbortSignal): Promise<number> {
  const { stdout, stderr, env } = process;
  const say = (line: string): void => {
    stderr.write(`${stderr.isTTY ? '\r\u001b[K' : ''}${line}\n`);
  };
  const reports: CampaignReport[] = [];
  for (const [index, name] of read.sets.entries()) {
    const share = Math.floor(read.kills / read.sets.length);
    const kills = index === 0 ? read.kills - share * (read.sets.length - 1) : share;
    await awayFromMidnight(longestMs({ kills, everyMs: read.everyMs }) + 300_000);
    say(`${name}: starting`);
    const target = await START[name]({ env, say: quietOf(say), signal });
    try {
      say(`${name}: ${String(kills)} kills, seed ${String(read.seed)}, on ${target.what}`);
      const onKill = (victim: string, no: number): void => {
        const line = `${name}: kill ${String(no)} of ${String(kills)}: ${victim}`;
        if (stderr.isTTY) stderr.write(`\r\u001b[K${line}`);
        else if (no % 10 === 0 || no === kills) say(line);
      };
      const { seed, everyMs } = read;
      reports.push(await runCampaign(target, { kills, seed, everyMs, onKill, say, signal }));
    } finally {
      await target.close();
    }
  }
  if (read.json) stdout.write(`${JSON.stringify(reportJson(reports), undefined, 2)}\n`);
  else printReports(stdout, env, reports);
  return reports.every(({ checks }) => checks.every(balances)) ? 0 : 1;
}

/** Parts end all the time here: only what says more than that is passed on. */
function quietOf(say: (line: string) => void): (line: string) => void {
  return (line) => {
    if (process.env['KAVACH_LOG_LEVEL'] === 'debug') say(line);
  };
}

runCommand({
  help: HELP,
  read: readArguments,
  run,
  describe: (error) => `faults: ${error instanceof Error ? error.message : String(error)}`,
});
