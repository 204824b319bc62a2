-- L1 to L5. What guards may spend ahead, and what of it was.

-- One for each lease a guard ever held. What it was granted and not yet settled is its remainder:
-- counted in every budget of its agent whose window meets its own, until it is closed or released.
create table lease (
  org text collate "C" not null,
  -- `<holder>/<n>`: the request that opened it.
  id text collate "C" not null,
  agent text collate "C" not null,
  run text collate "C",
  holder text collate "C" not null,
  state text collate "C" not null default 'open'
    check (state in ('open', 'closing', 'closed', 'abandoned', 'released')),
  -- Totals over its life.
  granted_cost bigint not null,
  granted_tokens bigint not null,
  granted_calls bigint not null,
  settled_cost bigint not null default 0,
  settled_tokens bigint not null default 0,
  settled_calls bigint not null default 0,
  -- The numbers of its events that are stored, and the last there is, once its guard has said so.
  seqs int8multirange not null default '{}',
  last_seq bigint,
  -- The budgets it was granted in, for people.
  periods jsonb not null,
  -- Where its shortest period begins and ends; without an end, null.
  starts_at bigint not null,
  ends_at bigint,
  opened_at bigint not null,
  renewed_at bigint not null,
  expires_at bigint not null,
  closed_at bigint,
  why text,
  primary key (org, id)
) with (fillfactor = 50);
-- Neither names a column that ordinary work changes: updates stay in their page.
create index lease_held on lease (org, agent) where state in ('open', 'closing', 'abandoned');
create index lease_opened on lease (org, opened_at, id);
create index lease_age on lease (opened_at);

-- L5. The last request of each guard, and what it was answered, to the byte.
create table lease_holder (
  org text collate "C" not null,
  holder text collate "C" not null,
  agent text collate "C" not null,
  last_n bigint not null default 0,
  answer text,
  at bigint not null,
  primary key (org, holder)
) with (fillfactor = 50);
create index lease_holder_at on lease_holder (at);

alter table usage_event
  add column lease text collate "C",
  add column lease_seq bigint;

alter table period
  -- When the first lease was granted in it.
  add column leased_at bigint,
  -- When somebody was last refused for want of room that others hold.
  add column wanted_at bigint,
  -- L3. When usage that no lease covers was last counted.
  add column unleased_at bigint;

-- What a guard that is connected has to know at once; columns that change seldom, all of them.
create index period_enforced on period (org, scope)
  where state <> 'closed' and cadence <> 'run'
    and (killed is not null or block_cost is not null or block_tokens is not null
      or block_calls is not null);
create index period_killed_run on period (org, scope)
  where state <> 'closed' and cadence = 'run' and killed is not null;
