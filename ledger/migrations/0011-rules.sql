-- R1 to R3. Rules on agents' metrics, and what has come of them for each agent.
create table rule_set (
  org text collate "C" primary key,
  -- Grows with every change; who counts under an older one is refused and counts anew.
  rev bigint not null
);

create table rule (
  org text collate "C" not null,
  id text collate "C" not null,
  name text collate "C" not null,
  -- `*`: every agent.
  agent text collate "C" not null,
  condition text not null,
  channels jsonb not null,
  priority text not null,
  cooldown_ms bigint not null,
  recipients jsonb not null,
  -- Who made or changed it last, and when.
  by text not null,
  at bigint not null,
  primary key (org, id)
);
create unique index rule_name on rule (org, name);

-- An agent whose workflow is to be told: the relay's part.
create table rule_watch (
  org text collate "C" not null,
  agent text collate "C" not null,
  seq bigint not null default 1,
  due_at bigint,
  next_at bigint not null default 0,
  reported_seq bigint not null default 0,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  tries bigint not null default 0,
  reason text,
  published_order bigint not null default -1,
  primary key (org, agent)
) with (fillfactor = 50);
create index rule_watch_due on rule_watch (due_at) where due_at is not null;

create table rule_counter (
  org text collate "C" not null,
  agent text collate "C" not null,
  -- The rule's id: never used again, and neither are the numbers of its alerts.
  rule text collate "C" not null,
  matches bigint not null default 0,
  -- How often in a row the condition was false.
  misses bigint not null default 0,
  -- Of the newest event that was looked at, by its own time.
  last_at bigint not null default 0,
  heard_at bigint not null default 0,
  matched_at bigint,
  -- From here on: the workflow's, written by its publish. `counted` of the matches were decided on.
  counted bigint not null default 0,
  busy boolean not null default false,
  held bigint not null default 0,
  alerts bigint not null default 0,
  over bigint not null default 0,
  told bigint not null default 0,
  raised_at bigint,
  senders jsonb not null default '{}',
  primary key (org, agent, rule)
) with (fillfactor = 50);
create index rule_counter_rule on rule_counter (org, rule);

-- Metric events that named themselves, so that a repeated one counts once.
create table metric_key (
  id bigint generated always as identity primary key,
  org text collate "C" not null,
  key text collate "C" not null,
  at bigint not null
);
create unique index metric_key_once on metric_key (org, key);
