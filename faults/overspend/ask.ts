/** Many calls at a time, until refusals say that the budget is spent. */
import { setTimeout as delay } from 'node:timers/promises';

/** After a refusal: what others hold may come back. */
const PAUSE_MS = 100;

/** `call` answers false for a refusal; resolves with how many were answered. */
export async function askUntilRefused(
  call: (no: number) => Promise<boolean>,
  { atOnce, refusals }: { readonly atOnce: number; readonly refusals: number },
): Promise<number> {
  let answered = 0;
  let no = 0;
  let refused = 0;
  const one = async (): Promise<void> => {
    while (refused < refusals * atOnce) {
      no += 1;
      if (await call(no)) {
        answered += 1;
        refused = 0;
        continue;
      }
      refused += 1;
      await delay(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return answered;
}
