/** Whether a namespace knows our search attributes; adds them where it may. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from './embedded/temporal-settings.js';

const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

export interface AttributesWatch {
  /** Resolves when it is known, or the server has not answered in time and is asked on. */
  readonly settled: Promise<void>;
  stop(): Promise<void>;
}

const ASK_EVERY_MS = 2_000;
const ANSWER_WITHIN_MS = 3_000;

/** Asks until the server answers, and tells once whether the attributes are there. */
export function watchSearchAttributes(
  connection: Connection,
  namespace: string,
  tell: (areThere: boolean) => void,
): AttributesWatch {
  const stopping = new AbortController();
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const ask = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const deadline = Date.now() + ANSWER_WITHIN_MS;
        const ensure = () => ensureSearchAttributes(connection, namespace);
        tell(await connection.withDeadline(deadline, ensure));
        return;
      } catch {
        // The worker says that Temporal is away; here it is only waited for.
        settle();
        const { signal } = stopping;
        await delay(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const asked = ask().finally(settle);
  return {
    settled,
    stop: () => {
      stopping.abort();
      return asked;
    },
  };
}

/**
 * Answers true when all of them can be written, false when the server refuses them (a workflow
 * that wrote an unknown one would fail its task). Rejects when the server does not answer.
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<boolean> {
  // Not `ensureConnected`: one failure of that is kept for the connection's life.
  const missing = await missingAttributes(connection, namespace);
  if (missing.length === 0) return true;
  const searchAttributes = Object.fromEntries(
    missing.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD]),
  );
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    return (await missingAttributes(connection, namespace)).length === 0;
  } catch {
    return false;
  }
}

/** To an account that may not even list them, all are missing. */
async function missingAttributes(connection: Connection, namespace: string): Promise<string[]> {
  let known: Readonly<Record<string, unknown>> = {};
  try {
    const list = await connection.operatorService.listSearchAttributes({ namespace });
    known = list.customAttributes;
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  return SEARCH_ATTRIBUTES.filter((name) => known[name] === undefined);
}

/** PERMISSION_DENIED, UNIMPLEMENTED. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 7 || code === 12;
}
