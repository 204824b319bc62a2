/** What getting a Temporal CLI into the cache takes; `target` appears by rename, whole and checked. */
export interface Procurement {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly cacheDir: string;
  /** Where the finished, checked binary is to appear, by rename. */
  readonly target: string;
  readonly downloadUrl: string;
  readonly say: (line: string) => void;
  readonly check: (path: string) => Promise<string | undefined>;
  readonly signal: AbortSignal | undefined;
}
