/** `kavach stop` and `kavach resume` (K2): a person's word over an agent, and who gave it. */
import { CliError, type Gateway } from './http.js';
import type { Output } from './output.js';

interface Word {
  readonly agent: string;
  readonly by: string | undefined;
}

/** Twice is once; the first reason stands. */
export async function stopAgent(
  gateway: Gateway,
  output: Output,
  { agent, by, reason }: Word & { readonly reason: string },
): Promise<void> {
  const path = `/v1/agents/${encodeURIComponent(agent)}/stop`;
  const { changed } = changeOf(await gateway.post(path, { reason, ...(by ? { by } : {}) }));
  output.json({ agent, stopped: true, changed });
  output.line(
    changed
      ? `${agent} is ${output.paint('bad', 'stopped')}; \`kavach resume ${agent}\` lets it go on`
      : `${agent} was stopped before; the first reason stands`,
  );
}

export async function resumeAgent(
  gateway: Gateway,
  output: Output,
  { agent, by }: Word,
): Promise<void> {
  const path = `/v1/agents/${encodeURIComponent(agent)}/resume`;
  const { changed } = changeOf(await gateway.post(path, by ? { by } : {}));
  output.json({ agent, stopped: false, changed });
  output.line(changed ? `${agent} goes on` : `${agent} was not stopped`);
}

function changeOf(answer: unknown): { changed: boolean } {
  const { changed } = (answer ?? {}) as { changed?: unknown };
  if (typeof changed === 'boolean') return { changed };
  throw new CliError('The answer does not say whether anything changed: is KAVACH_URL a Kavach?');
}
