-- A13. What is held back, from when until when, by whom and why. Of the matcher null is any.
create table silence (
  org text collate "C" not null,
  id text collate "C" not null,
  agent text collate "C",
  -- Only the budgets of the organisation, in which all agents pool.
  organisation boolean not null,
  cadence text,
  dimension text,
  rule text collate "C",
  severity text,
  starts_at bigint not null,
  until bigint not null,
  at bigint not null,
  by text not null,
  reason text not null,
  -- Who ended it before its time, and when: {"by": …, "at": …}.
  ended jsonb,
  primary key (org, id)
);
create index silence_until on silence (org, until) where ended is null;
create index silence_at on silence (at);

-- Alerts that a silence holds, which are told when it is ended before its time. At its own end
-- they ask by themselves.
create table silenced_alert (
  org text collate "C" not null,
  silence text collate "C" not null,
  alert_id text collate "C" not null,
  due_at bigint not null default 0,
  lease_until bigint not null default 0,
  fence bigint not null default 0,
  tries bigint not null default 0,
  primary key (org, silence, alert_id)
);
