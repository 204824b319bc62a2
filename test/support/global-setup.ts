/** vitest globalSetup of the tiers that need Temporal: starts one server and tells its address. */
import type { TestProject } from 'vitest/node';
import { startTestTemporal } from './temporal.js';

/** Returns the teardown, as vitest wants it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const temporal = await startTestTemporal();
  project.provide('temporalAddress', temporal.address);
  return () => temporal.stop();
}
