-- The message ledger: every mail that job inbox has looked at, and what each rule made of it.

create table dba.mailbox (
  connection_name  text         not null,
  folder           text         not null,
  account          text,
  cursor           jsonb,
  rules_key        text,
  looked_at        timestamptz,
  started_anew     text,
  run_id           uuid,
  primary key (connection_name, folder)
);
comment on table dba.mailbox is 'How far job inbox has looked into each folder, and which run is at it: one at a time.';
comment on column dba.mailbox.connection_name is 'Row of dba.connection.';
comment on column dba.mailbox.folder is 'Folder or label, as dba.inboxconfig names it.';
comment on column dba.mailbox.account is 'Whose mailbox it is: imap:us@example.org@imap.example.org.';
comment on column dba.mailbox.cursor is 'Up to where all mails have been dealt with, as the mailbox counts them.';
comment on column dba.mailbox.rules_key is 'Hash of the rules by which they were judged; when the rules change, mails that were left alone are judged again.';
comment on column dba.mailbox.looked_at is 'When all of it was dealt with last.';
comment on column dba.mailbox.started_anew is 'Why the last look could not go on where the one before had ended, and searched the last 30 days instead.';
comment on column dba.mailbox.run_id is 'The run that is at it, or was last.';

create table dba.message (
  message_id       bigint       primary key generated always as identity,
  connection_name  text         not null,
  found_in         text         not null,
  folder           text         not null,
  uid_validity     text         not null default '',
  uid              text,
  rfc_message_id   text,
  fingerprint      text         not null,
  sender           text,
  subject          text,
  sent_at          timestamptz,
  received_at      timestamptz,
  size_bytes       bigint,
  attachments      integer,
  state            text         not null,
  reason           text,
  error_code       text,
  run_id           uuid,
  taken_by         text,
  round            integer      not null default 1,
  attempts         integer      not null default 0,
  seen_at          timestamptz  not null default clock_timestamp(),
  saved_at         timestamptz,
  action           text,
  filed_at         timestamptz,
  filed_to         text,
  decisions        jsonb,
  decided_at       timestamptz,
  decided_in       uuid,
  constraint a_mail_stands_once_where_it_lies unique (connection_name, folder, uid_validity, uid),
  constraint message_state_is_a_known_word check (state in ('unmatched', 'saving', 'saved', 'filed', 'refused', 'failed', 'gone', 'duplicate', 'retry', 'dismissed'))
);
comment on table dba.message is 'Every mail that job inbox has looked at. The mailbox is touched only after the files are safe (saved), and then it is filed. Set state = ''retry'' to have a mail looked at again, ''dismissed'' to close a failure.';
comment on column dba.message.message_id is 'Number of the mail.';
comment on column dba.message.connection_name is 'The mailbox.';
comment on column dba.message.found_in is 'Folder or label that the rules look into and in which it was found.';
comment on column dba.message.folder is 'Where it lies as far as Rota knows: the same, or where a mail that was looked at again was found.';
comment on column dba.message.uid_validity is 'UIDVALIDITY of the folder (Gmail: the account); another one, and the numbers mean other mails.';
comment on column dba.message.uid is 'UID in the folder, Gmail''s id, or the name of the .eml file. Null: another mail has that name now.';
comment on column dba.message.rfc_message_id is 'Message-ID header; null: it has none.';
comment on column dba.message.fingerprint is 'Hash of Message-ID, date and sender (of the whole header where there is no Message-ID): a mail that was moved or renumbered is known by it, and not taken twice.';
comment on column dba.message.sender is 'Addresses of the sender.';
comment on column dba.message.subject is 'Subject.';
comment on column dba.message.sent_at is 'Its Date header.';
comment on column dba.message.received_at is 'When the mailbox got it.';
comment on column dba.message.size_bytes is 'Size of the whole mail.';
comment on column dba.message.attachments is 'Files that it carries; null: no rule had to know.';
comment on column dba.message.state is 'unmatched (left alone), saving, saved (files safe, mailbox not yet touched), filed (done), refused (not trusted, blocked or too large), failed, gone (it vanished before it could be saved), duplicate (a copy of one that was taken); people set retry or dismissed.';
comment on column dba.message.reason is 'In words: why it failed or was refused.';
comment on column dba.message.error_code is 'Stable word for that.';
comment on column dba.message.run_id is 'The run that dealt with it last.';
comment on column dba.message.taken_by is 'Rule that took or refused it: row of dba.inboxconfig.';
comment on column dba.message.round is 'Counts up each time people have it looked at again: its files are then saved once more.';
comment on column dba.message.attempts is 'Tries to save its files in this round.';
comment on column dba.message.seen_at is 'When Rota first met it.';
comment on column dba.message.saved_at is 'When its files were safe.';
comment on column dba.message.action is 'What is done with it in the mailbox: move, label, flag, mark_read or leave.';
comment on column dba.message.filed_at is 'When that was done.';
comment on column dba.message.filed_to is 'Label or folder that it is put under.';
comment on column dba.message.decisions is 'What each rule made of it, in the order in which they were asked; dba.messagedecision shows it in rows. Null: none was asked.';
comment on column dba.message.decided_at is 'When they were asked last.';
comment on column dba.message.decided_in is 'The run that asked them.';
comment on constraint a_mail_stands_once_where_it_lies on dba.message is 'Set by Rota.';
comment on constraint message_state_is_a_known_word on dba.message is 'People set retry or dismissed.';
create index message_by_fingerprint on dba.message (connection_name, fingerprint);
create index message_by_work on dba.message (connection_name, found_in) where state in ('saving', 'saved', 'refused', 'retry');
create index message_by_saving on dba.message (saved_at) where saved_at is not null;
create index message_by_trouble on dba.message (connection_name) where state in ('failed', 'refused');
create index message_by_run on dba.message (run_id);

-- Kept with the mail: a row of its own for each mail and rule would double what a run writes.
create view dba.messagedecision as
select m.message_id, d.config_name, d.rule_order, d.decision, d.failed_on, d.detail, m.decided_in as run_id, m.decided_at
from dba.message m
cross join lateral jsonb_to_recordset(m.decisions) as d (config_name text, rule_order integer, decision text, failed_on text, detail text);
comment on view dba.messagedecision is 'What each rule made of each mail when it was looked at last, and which filter it failed on.';
comment on column dba.messagedecision.message_id is 'The mail.';
comment on column dba.messagedecision.config_name is 'The rule: row of dba.inboxconfig.';
comment on column dba.messagedecision.rule_order is 'Its place when it was asked.';
comment on column dba.messagedecision.decision is 'matched, not_matched, refused (it matched, and trust or size forbade it), or not_asked (an earlier rule took or refused the mail).';
comment on column dba.messagedecision.failed_on is 'The column of dba.inboxconfig that it failed on: subject_pattern.';
comment on column dba.messagedecision.detail is 'What was found there.';
comment on column dba.messagedecision.run_id is 'The run that decided.';
comment on column dba.messagedecision.decided_at is 'When.';

create table dba.messagefile (
  message_id   bigint       not null references dba.message (message_id) on delete cascade,
  round        integer      not null default 1,
  part         text         not null,
  config_name  text         not null,
  file_name    text         not null,
  saved_as     text         not null,
  saved_path   text         not null,
  staged_path  text         not null,
  size_bytes   bigint       not null,
  sha256       text         not null,
  file_id      bigint       references dba.file (file_id) on delete set null,
  planned_at   timestamptz  not null default clock_timestamp(),
  saved_at     timestamptz,
  primary key (message_id, round, part, config_name)
);
comment on table dba.messagefile is 'Files saved from mails. A row is written before its file gets its name, so that an interrupted run finds it again.';
comment on column dba.messagefile.message_id is 'The mail.';
comment on column dba.messagefile.round is 'As in dba.message: which time it was looked at, from 1.';
comment on column dba.messagefile.part is 'Which part of the mail: 2, 2.1; eml for the whole mail.';
comment on column dba.messagefile.config_name is 'The rule that saved it.';
comment on column dba.messagefile.file_name is 'Name that it came with.';
comment on column dba.messagefile.saved_as is 'Name that it was given.';
comment on column dba.messagefile.saved_path is 'Where it was saved.';
comment on column dba.messagefile.staged_path is 'Where it lay, hidden, before it got its name.';
comment on column dba.messagefile.size_bytes is 'Its size.';
comment on column dba.messagefile.sha256 is 'Hash of its bytes, hexadecimal.';
comment on column dba.messagefile.file_id is 'Its row in the file ledger.';
comment on column dba.messagefile.planned_at is 'When all of it was on the disk.';
comment on column dba.messagefile.saved_at is 'When it had its name. Null: not yet.';
comment on constraint messagefile_message_id_fkey on dba.messagefile is 'Set by Rota.';
comment on constraint messagefile_file_id_fkey on dba.messagefile is 'Set by Rota.';
create index messagefile_by_path on dba.messagefile (saved_path) where file_id is null;
create index messagefile_by_file on dba.messagefile (file_id);

-- A run looks through a mailbox for all of its rules: what came for one of them says nothing of the others.
create or replace function dba.first_brought_at(schedule dba.scheduler, since timestamptz, until timestamptz)
returns timestamptz
language sql
stable
as $$
  select case when schedule.job = 'inbox' then (
    select min(m.saved_at)
    from dba.message m
    where m.saved_at >= since and m.saved_at <= until
      and exists (select from dba.messagedecision d where d.message_id = m.message_id and d.config_name = schedule.config_name and d.decision = 'matched'))
  else (
    select min(r.finished_at)
    from dba.run r
    where r.schedule_id = schedule.schedule_id and r.state = 'succeeded' and r.finished_at >= since and r.finished_at <= until
      and (r.rows_written > 0 or r.files > 0))
  end
$$;
comment on function dba.first_brought_at(dba.scheduler, timestamptz, timestamptz) is 'When a schedule first brought something in that stretch of time: the end of a run that succeeded and moved rows or files; for job inbox the first mail that was saved for its rule. Null: it did not.';

create or replace function dba.mail_problems()
returns table (severity text, subject text, since timestamptz, message text, fix text)
language sql
stable
as $$
  select 'warning', coalesce(m.taken_by, m.connection_name), min(m.seen_at),
    case m.state when 'failed' then format('mails that could not be saved: %s', count(*)) else format('mails refused, put under "%s": %s', coalesce(max(m.filed_to), 'nothing'), count(*)) end
    || format(', the latest "%s" from %s', left((array_agg(m.subject order by m.message_id desc))[1], 100), coalesce((array_agg(m.sender order by m.message_id desc))[1], 'nobody'))
    || coalesce(': ' || (array_agg(m.reason order by m.message_id desc))[1], ''),
    format('update dba.message set state = ''retry'' where connection_name = %L and taken_by is not distinct from %L and state = %L; or state = ''dismissed''', m.connection_name, m.taken_by, m.state)
  from dba.message m
  where m.state in ('failed', 'refused')
  group by m.connection_name, m.taken_by, m.state
$$;
comment on function dba.mail_problems() is 'Mails that were refused or could not be saved, as rows of dba.problem: one for each rule.';

create function dba.message_rules()
returns trigger
language plpgsql
as $$
begin
  -- A name that follows its connection or rule.
  if pg_trigger_depth() > 1 then
    return new;
  end if;
  if to_jsonb(new) - 'state' is distinct from to_jsonb(old) - 'state' then
    perform dba.refuse('mails are written down by Rota', 'Of dba.message people set state alone: retry or dismissed.', null, '42501');
  end if;
  if new.state is distinct from old.state and new.state not in ('retry', 'dismissed') then
    perform dba.refuse(format('a mail cannot be turned from %s into %s by hand', old.state, coalesce(new.state, 'null')), 'Write retry to have it looked at again, or dismissed to close a failure.', null, '42501');
  end if;
  return new;
end
$$;
comment on function dba.message_rules() is 'BEFORE trigger of dba.message: people set retry and dismissed.';
create trigger m_message_rules before update on dba.message for each row when (current_user <> 'rota_worker') execute function dba.message_rules();

create function dba.inbox_names_follow()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_table_name = 'connection' then
    update dba.mailbox set connection_name = new.connection_name where connection_name = old.connection_name;
    update dba.message set connection_name = new.connection_name where connection_name = old.connection_name;
  else
    update dba.message set taken_by = new.config_name where taken_by = old.config_name;
    update dba.message m
    set decisions = (
      select jsonb_agg(case when d.decision ->> 'config_name' = old.config_name then d.decision || jsonb_build_object('config_name', new.config_name) else d.decision end order by d.position)
      from jsonb_array_elements(m.decisions) with ordinality as d (decision, position))
    where m.decisions @> jsonb_build_array(jsonb_build_object('config_name', old.config_name));
    update dba.messagefile set config_name = new.config_name where config_name = old.config_name;
  end if;
  return null;
end
$$;
comment on function dba.inbox_names_follow() is 'AFTER trigger of dba.connection and dba.inboxconfig: the mails go by their new names.';
create trigger inbox_names_follow after update of connection_name on dba.connection for each row
  when (new.connection_name <> old.connection_name) execute function dba.inbox_names_follow();
create trigger inbox_names_follow after update of config_name on dba.inboxconfig for each row
  when (new.config_name <> old.config_name) execute function dba.inbox_names_follow();

grant select on dba.mailbox, dba.message, dba.messagedecision, dba.messagefile to rota_reader;
grant update on dba.message to rota_dba, rota_operator;
grant select, insert, update, delete on dba.mailbox, dba.message, dba.messagefile to rota_worker;
grant select on dba.messagedecision to rota_worker;
