-- What the operators are told, and what is said only once: `once` names it within its kind.
alter table operator_notice
  -- A destination it is about: it is told elsewhere.
  add column destination text collate "C",
  add column once text collate "C";
create unique index operator_notice_once on operator_notice (org, kind, once);
create index operator_notice_untold on operator_notice (id) where told_at is null;
