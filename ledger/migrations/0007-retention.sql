-- What retention has taken away, and what it finds its rows by.

-- Sums of events that are gone, so that a budget without an end still begins with all of them (B8).
create table usage_pruned (
  org text collate "C" not null,
  agent text collate "C" not null,
  events bigint not null,
  cost bigint not null,
  tokens bigint not null,
  first_at bigint not null,
  last_at bigint not null,
  primary key (org, agent)
);

-- To whom a message was rendered; null for those from before.
alter table delivery add column destination text collate "C";

-- Neither names a column that ordinary work changes: updates stay in their page.
create index alert_over on alert (raised_at) where phase = 'resolved';
create index period_over on period (starts_at) where state = 'closed';
