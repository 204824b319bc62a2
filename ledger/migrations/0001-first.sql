-- The book. Times are epoch ms, money nano-USD; every number stays below 2^53 (B1).
-- Names compare byte by byte (collate "C"): faster, and the same order wherever rows are locked.

create table ledger_life (
  one boolean primary key default true check (one),
  epoch bigint not null,
  -- The sealed key that destination references are made with; written at its first use.
  reference_key text
);
insert into ledger_life (epoch) values (1);

create table usage_event (
  org text collate "C" not null,
  idempotency_key text collate "C" not null,
  agent text collate "C" not null,
  run text collate "C",
  provider text not null,
  model text not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cost_reported bigint not null,
  cost_used bigint not null,
  price_version text,
  duration_ms bigint not null,
  status text not null,
  at bigint not null,
  received_at bigint not null,
  -- Space separated; null for most.
  flags text,
  primary key (org, idempotency_key)
);
create index usage_event_agent_at on usage_event (org, agent, at);

create table quarantined_event (
  id bigint generated always as identity primary key,
  org text collate "C" not null,
  at bigint not null,
  path text not null,
  problem text not null,
  raw text not null
);
create index quarantined_event_org on quarantined_event (org, id);

create table period (
  id text collate "C" primary key,
  org text collate "C" not null,
  scope text collate "C" not null,
  cadence text collate "C" not null,
  period text collate "C" not null,
  generation bigint not null,
  name text not null,
  starts_at bigint not null,
  ends_at bigint,
  zone text not null,
  -- When the period is over: its end, or the last word of a run and its idle time.
  closes_at bigint,
  -- Sums of unique events, and nothing else (B5).
  own_cost bigint not null default 0,
  own_tokens bigint not null default 0,
  own_calls bigint not null default 0,
  own_first_at bigint,
  own_last_at bigint,
  saturated boolean not null default false,
  run_started_at bigint,
  run_heard_at bigint,
  run_open boolean not null default false,
  seq bigint not null default 1,
  limits jsonb not null,
  limits_rev bigint not null,
  block_cost bigint,
  block_tokens bigint,
  block_calls bigint,
  block_duration bigint,
  -- From here to "rejected": the workflow's, written by its publish.
  notify_cost bigint,
  notify_tokens bigint,
  notify_calls bigint,
  notify_duration bigint,
  applied_rev bigint not null default 0,
  latches jsonb not null default '{}',
  firing_no bigint not null default 0,
  killed jsonb,
  direct jsonb not null default '{"cost":0,"tokens":0,"calls":0}',
  senders jsonb not null default '{}',
  open_alerts jsonb not null default '[]',
  published_epoch bigint not null default -1,
  published_seq bigint not null default -1,
  published_order bigint not null default -1,
  rejected bigint not null default 0,
  -- The relay's part.
  state text collate "C" not null default 'open' check (state in ('open', 'closed', 'parked')),
  started boolean not null default false,
  due_at bigint,
  next_at bigint not null default 0,
  reported_seq bigint not null default 0,
  claimed_seq bigint not null default 0,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  tries bigint not null default 0,
  parked_reason text
) with (fillfactor = 50);
create index period_due on period (due_at) where due_at is not null;
create index period_scope on period (org, scope, cadence);

create table alert_outbox (
  id text collate "C" primary key,
  org text collate "C" not null,
  input jsonb not null,
  -- Null once its workflow was started.
  due_at bigint,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  tries bigint not null default 0,
  reason text
);
create index alert_outbox_due on alert_outbox (due_at) where due_at is not null;

create table alert (
  org text collate "C" not null,
  id text collate "C" not null,
  subject text collate "C" not null,
  agent text collate "C" not null,
  phase text not null,
  exhausted boolean not null,
  raised_at bigint not null,
  facts jsonb not null,
  last_entry bigint not null,
  primary key (org, id)
);
create index alert_raised on alert (org, raised_at);

create table journal (
  org text collate "C" not null,
  alert_id text collate "C" not null,
  no bigint not null,
  at bigint not null,
  what text not null,
  delivery text,
  channel text,
  attempt bigint,
  reason text,
  by text,
  primary key (org, alert_id, no)
);

-- One alert may speak for one crossing under one revision of its limits (T2), whatever Temporal
-- remembers of it.
create table firing (
  org text collate "C" not null,
  period_id text collate "C" not null,
  dimension text collate "C" not null,
  bps bigint not null,
  channel text collate "C" not null,
  limits_rev bigint not null,
  alert_id text collate "C" not null,
  primary key (org, period_id, dimension, bps, channel, limits_rev)
);

create table delivery (
  org text collate "C" not null,
  alert_id text collate "C" not null,
  id text collate "C" not null,
  body text not null,
  content_type text not null,
  primary key (org, alert_id, id)
);

create table attempt (
  org text collate "C" not null,
  alert_id text collate "C" not null,
  delivery_id text collate "C" not null,
  attempt bigint not null,
  channel text not null,
  started_at bigint not null,
  ended_at bigint,
  outcome jsonb,
  primary key (org, alert_id, delivery_id, attempt)
);

create table scope_configuration (
  org text collate "C" not null,
  scope text collate "C" not null,
  name text,
  zone text not null default 'UTC',
  budgets jsonb not null default '[]',
  shown jsonb,
  rev bigint not null default 0,
  changed_at bigint not null default 0,
  primary key (org, scope)
);

create table audit (
  id bigint generated always as identity primary key,
  org text collate "C" not null,
  subject text not null,
  at bigint not null,
  by text not null,
  what text not null,
  before jsonb,
  after jsonb
);
create index audit_org on audit (org, id);

create table stop (
  org text collate "C" not null,
  agent text collate "C" not null,
  at bigint not null,
  by text not null,
  reason text not null,
  primary key (org, agent)
);

create table destination (
  org text collate "C" not null,
  reference text collate "C" not null,
  channel text not null,
  -- Address, credentials and template, sealed (L-5).
  sealed text not null,
  send_resolved boolean not null,
  primary key (org, reference)
);

create table default_destination (
  org text collate "C" not null,
  channel text not null,
  reference text collate "C" not null,
  primary key (org, channel)
);

create table api_key (
  hash text collate "C" primary key,
  org text collate "C" not null,
  name text not null,
  revoked_at bigint
);
