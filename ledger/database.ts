/**
 * The connections, and the one way statements run on them.
 * E-1. On the embedded database (PGlite behind its socket) every statement is one message of the
 *      simple protocol, values and all. Its queue hands messages of all connections one by one to
 *      one session: the parse, bind and execute of an unnamed statement can be torn apart by
 *      another connection's, and then run with the wrong values. Seen: 2 of 900 answers were
 *      another client's.
 * E-2. No session state: no settings, no named statements, no advisory locks, no LISTEN.
 */
import pg from 'pg';
import { inlined, storable, type Value } from './literals.js';
import { createPrepared } from './prepared.js';
import { createTurns } from './turns.js';

export type Row = Record<string, unknown>;

export interface RunOptions {
  /** Bounds the wait for the answer, ms. */
  readonly timeoutMs?: number;
  /** Lets statements of others go ahead (turns.ts). */
  readonly yields?: boolean;
  /**
   * Planned once (prepared.ts). For constant texts that run often, alone (in a transaction it
   * changes nothing), and whose best plan does not hang on their values.
   */
  readonly hot?: boolean;
  /** Rows as arrays in the order of the columns, as Drizzle wants them (schema.ts). */
  readonly rowMode?: 'array';
}

/** Runs one statement and answers its rows. */
export type Run = (
  text: string,
  values?: readonly Value[],
  options?: RunOptions,
) => Promise<readonly Row[]>;

export interface Database {
  /** One statement, a transaction of its own. */
  readonly run: Run;
  /** All of `work`'s statements or none. Deadlocks and lost races are tried again, twice. */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly databaseUrl: string;
  readonly poolSize: number;
  readonly embedded: boolean;
  /** Wait for the database to take a connection, ms. */
  readonly connectMs: number;
  /** Wait for a statement's answer, ms. */
  readonly statementMs: number;
}

/** Deadlock, serialization failure: whoever is told of one has changed nothing. */
const RETRYABLE = new Set(['40P01', '40001']);
const MAX_RETRIES = 2;

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: options.poolSize,
    connectionTimeoutMillis: options.connectMs,
    query_timeout: options.statementMs,
    types: { getTypeParser },
  });
  // An idle connection that breaks is replaced at the next use, which then says what is wrong.
  pool.on('error', () => undefined);
  // The pool's own listener goes with it while a connection is in use: one that breaks then would
  // end the process. Whatever runs on it is told by its own rejection.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const inTurn = createTurns(options.poolSize);
  const prepared = createPrepared();
  const runOn = (client: pg.ClientBase): Run =>
    async function run(text, values = [], { timeoutMs, rowMode } = {}) {
      const result = await client.query<Row>({
        ...(options.embedded
          ? { text: inlined(text, values) }
          : { text, values: values.map(parameter) }),
        ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
        ...(rowMode === undefined ? {} : { rowMode }),
      } as pg.QueryConfig);
      return result.rows;
    };
  const runHot = async (
    client: pg.ClientBase,
    text: string,
    values: readonly Value[],
    { timeoutMs }: RunOptions,
  ): Promise<readonly Row[]> => {
    const timeout = timeoutMs === undefined ? {} : { query_timeout: timeoutMs };
    const send = (message: string): Promise<pg.QueryResult<Row>> =>
      client.query<Row>({ text: message, ...timeout } as pg.QueryConfig);
    return (await prepared(send, text, values)).rows;
  };
  const withClient = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let failure: unknown;
    try {
      return await work(client);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // A connection whose state nobody knows (time-out, break) is not used again.
      client.release(failure !== undefined && !isDatabaseAnswer(failure));
    }
  };
  const attempt = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
    withClient(async (client) => {
      const run = runOn(client);
      await client.query('begin');
      try {
        const result = await work(run);
        await client.query('commit');
        return result;
      } catch (error) {
        // After anything but an answer the connection is dropped, which rolls back as well; a
        // rollback would wait behind the statement that hangs.
        if (isDatabaseAnswer(error)) await client.query('rollback');
        throw error;
      }
    });
  return {
    run: (text, values, each) =>
      inTurn(
        () =>
          retrying(() =>
            withClient((client) =>
              options.embedded && each?.hot === true
                ? runHot(client, text, values ?? [], each)
                : runOn(client)(text, values, each),
            ),
          ),
        each?.yields,
      ),
    transaction: (work) => inTurn(() => retrying(() => attempt(work))),
    close: () => pool.end(),
  };
}

/** int8 as a number: every one of ours is below 2^53 (B1). Only for this pool. */
const getTypeParser: typeof pg.types.getTypeParser = (oid, format) =>
  oid === pg.types.builtins.INT8 ? Number : (pg.types.getTypeParser(oid, format) as unknown);

function parameter(value: Value): string | number | boolean | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? storable(value) : value;
}

async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await work();
    } catch (error) {
      if (retries >= MAX_RETRIES || !RETRYABLE.has(codeOf(error) ?? '')) throw error;
    }
  }
}

function isDatabaseAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity !== 'FATAL';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
