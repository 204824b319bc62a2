-- What the operators are told, and what is said only once: `once` names it within its kind.
alter table operator_notice
  -- A destination it is about: it is told elsewhere.
  add column destination text collate "C",
  -- Of the alert that told it.
  add column alert_id text collate "C",
  add column once text collate "C";
create unique index operator_notice_once on operator_notice (org, kind, once);
create index operator_notice_untold on operator_notice (id) where told_at is null;

-- A14. What a storm held back from a destination, until its summary is written.
create table held_alert (
  org text collate "C" not null,
  reference text collate "C" not null,
  alert_id text collate "C" not null,
  primary key (org, reference, alert_id)
);
