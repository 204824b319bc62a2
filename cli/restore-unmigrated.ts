/** For the embedded ledger's process: an empty database, whose tables the restored copy brings. */
export function migratePglite(): Promise<void> {
  return Promise.resolve();
}
