-- C1. Beside what agents synced, what operators set; `budgets` is what holds of both.
alter table scope_configuration
  add column synced jsonb not null default '[]',
  add column operator jsonb not null default '{"limits":[],"raises":[]}',
  -- When part of the operator's layer ends by itself; until that is written, it is out of date.
  add column ends_at bigint;
update scope_configuration set synced = budgets;
create index scope_configuration_ends on scope_configuration (ends_at) where ends_at is not null;

-- Who set it last: what a person set stands over the environment of the next start.
alter table default_destination add column set_by text collate "C" not null default 'environment';
alter table organisation
  add column operators_by text collate "C" not null default 'environment',
  add column email_domains_by text collate "C" not null default 'environment';

create index audit_subject on audit (org, subject, id);

-- K4. The revision of the limits that lifted the row's kill: what was decided under an older one
-- does not bring it back.
alter table period add column lifted_rev bigint not null default 0;
