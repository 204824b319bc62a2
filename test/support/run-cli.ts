/** Runs a command line of `kavach` in this process and keeps what it printed. */
import { runCli } from '../../cli/program.js';

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliSurroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
}

export async function kavach(
  argv: readonly string[],
  { env = {}, isTTY = false }: CliSurroundings = {},
): Promise<CliRun> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    env: { KAVACH_DATA_DIR: '/nonexistent', ...env },
    stdout: { write: (text) => (out += text), isTTY },
    stderr: { write: (text) => (err += text), isTTY },
  });
  return { code, out, err };
}
