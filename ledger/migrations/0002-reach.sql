-- Running totals of usage; how destinations fare, and what is held back from them; the operators.

-- What an organisation's agents have used, one row an agent, kept by every ingest: adding up all
-- events takes seconds past a few million. Nothing may be stored between the sum and its row.
lock table usage_event in share row exclusive mode;
create table usage_total (
  org text collate "C" not null,
  agent text collate "C" not null,
  events bigint not null,
  cost bigint not null,
  tokens bigint not null,
  primary key (org, agent)
) with (fillfactor = 50);
insert into usage_total (org, agent, events, cost, tokens)
select org, agent, count(*), least(sum(cost_used), 9007199254740991)::bigint,
  least(sum(input_tokens + output_tokens), 9007199254740991)::bigint
from usage_event group by org, agent;

alter table destination
  add column health text collate "C" not null default 'ok'
    check (health in ('ok', 'gone', 'failing')),
  add column health_reason text,
  add column health_at bigint,
  -- Deliveries in a row that failed for good, and when the first of them did.
  add column failures bigint not null default 0,
  add column failing_since bigint,
  -- C3. Everything that was there before the rule counts as verified.
  add column verified boolean not null default true;

-- A14. How much was sent to a destination in the current minute, and in the UTC day (sms); what was
-- held back and not yet told. A row of its own, so that a crossing never waits for a sync that is
-- writing destinations.
create table destination_pace (
  org text collate "C" not null,
  reference text collate "C" not null,
  minute_at bigint not null default 0,
  minute_count bigint not null default 0,
  day_at bigint not null default 0,
  day_count bigint not null default 0,
  held bigint not null default 0,
  held_from bigint,
  held_due_at bigint,
  primary key (org, reference)
) with (fillfactor = 50);
create index destination_pace_due on destination_pace (held_due_at) where held_due_at is not null;
insert into destination_pace (org, reference) select org, reference from destination;

-- T9. Which alerts one incident at PagerDuty speaks for, a row a delivery.
create table incident (
  org text collate "C" not null,
  destination text collate "C" not null,
  key text collate "C" not null,
  alert_id text collate "C" not null,
  delivery_id text collate "C" not null,
  over boolean not null default false,
  -- It was the last: its resolution is the incident's.
  ends boolean not null default false,
  primary key (org, destination, key, alert_id, delivery_id)
);

-- What the operators are to be told; without any address.
create table operator_notice (
  id bigint generated always as identity primary key,
  org text collate "C" not null,
  at bigint not null,
  kind text not null,
  text text not null,
  told_at bigint
);
create index operator_notice_org on operator_notice (org, id);

create table organisation (
  org text collate "C" primary key,
  -- A5, A8. Routes, in the order they are tried.
  operators jsonb not null default '[]',
  -- Null: the default of A8.
  escalation jsonb,
  -- C3. Lower case.
  email_domains jsonb not null default '[]'
);
