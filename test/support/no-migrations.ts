/** A ledger without tables, for tests of the process that carries it. */
export function migratePglite(): Promise<void> {
  return Promise.resolve();
}
