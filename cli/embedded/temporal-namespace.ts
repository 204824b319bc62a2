/** Prepares a namespace for Kavach: how long histories are kept, and what lists can search by. */
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { RETENTION_DAYS, SEARCH_ATTRIBUTES } from './temporal-settings.js';

const DAY_MS = 86_400_000;
const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

/** Both wishes may be refused (an account without the right); Kavach works without, and says so. */
export async function prepareNamespace(
  connection: Connection,
  namespace: string,
  say: (line: string) => void,
): Promise<void> {
  await orSay(say, `keeping histories of namespace ${namespace} for 30 days`, async () => {
    await keepHistories(connection, namespace);
  });
  await orSay(say, `search attributes in namespace ${namespace}`, async () => {
    await addSearchAttributes(connection, namespace);
  });
}

async function keepHistories(connection: Connection, namespace: string): Promise<void> {
  const { workflowService } = connection;
  const { config } = await workflowService.describeNamespace({ namespace });
  const wanted = msToTs(RETENTION_DAYS * DAY_MS);
  // Updating a namespace is limited to one a second, so a restart asks first.
  if (Number(config?.workflowExecutionRetentionTtl?.seconds) >= Number(wanted.seconds)) return;
  await workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: wanted },
  });
}

async function addSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => customAttributes[name] === undefined);
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(
    missing.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD]),
  );
  await operatorService.addSearchAttributes({ namespace, searchAttributes });
}

async function orSay(
  say: (line: string) => void,
  wish: string,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say(`Temporal refused ${wish} (${reason}); going on without`);
  }
}
