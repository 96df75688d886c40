-- The message ledger: every mail that job inbox has looked at, and what each rule made of it.

create table dba.message (
  message_id       bigint       primary key generated always as identity,
  connection_name  text         not null,
  folder           text         not null,
  uid_validity     text         not null default '',
  uid              text         not null,
  rfc_message_id   text,
  fingerprint      text         not null,
  sender           text,
  subject          text,
  sent_at          timestamptz,
  received_at      timestamptz,
  size_bytes       bigint,
  attachments      integer,
  state            text         not null default 'seen',
  reason           text,
  error_code       text,
  run_id           uuid,
  taken_by         text,
  seen_at          timestamptz  not null default clock_timestamp(),
  saved_at         timestamptz,
  filed_at         timestamptz,
  filed_to         text,
  attempts         integer      not null default 0,
  constraint a_mail_stands_once_where_it_lies unique (connection_name, folder, uid_validity, uid),
  constraint message_state_is_a_known_word check (state in ('seen', 'unmatched', 'saving', 'saved', 'filed', 'failed', 'refused', 'retry', 'dismissed'))
);
comment on table dba.message is 'Every mail that job inbox has looked at. The mailbox is touched only after the files are safe (saved), and then it is filed. Set state = ''retry'' to have a mail looked at again, ''dismissed'' to close a failure.';
comment on column dba.message.message_id is 'Number of the mail.';
comment on column dba.message.connection_name is 'The mailbox.';
comment on column dba.message.folder is 'Folder or label in which it was found.';
comment on column dba.message.uid_validity is 'UIDVALIDITY of the folder; another one, and the numbers mean other mails.';
comment on column dba.message.uid is 'UID in the folder, Gmail''s id, or the name of the .eml file.';
comment on column dba.message.rfc_message_id is 'Message-ID header; null: it has none.';
comment on column dba.message.fingerprint is 'Hash of Message-ID, date, sender, subject and size: a mail that was moved or renumbered is known by it, and not taken twice.';
comment on column dba.message.sender is 'Address of the sender.';
comment on column dba.message.subject is 'Subject.';
comment on column dba.message.sent_at is 'Its Date header.';
comment on column dba.message.received_at is 'When the mailbox got it.';
comment on column dba.message.size_bytes is 'Size of the whole mail.';
comment on column dba.message.attachments is 'Files that it carries.';
comment on column dba.message.state is 'seen, unmatched (left alone), saving, saved (files safe, mailbox not yet touched), filed (done), failed, refused (trust or size); people set retry or dismissed.';
comment on column dba.message.reason is 'In words: why it failed or was refused.';
comment on column dba.message.error_code is 'Stable word for that.';
comment on column dba.message.run_id is 'The run that dealt with it last.';
comment on column dba.message.taken_by is 'Rule that took it: row of dba.inboxconfig.';
comment on column dba.message.seen_at is 'When Rota first met it.';
comment on column dba.message.saved_at is 'When its files were safe.';
comment on column dba.message.filed_at is 'When it was labelled, moved or marked.';
comment on column dba.message.filed_to is 'Where to.';
comment on column dba.message.attempts is 'How often it was tried.';
comment on constraint a_mail_stands_once_where_it_lies on dba.message is 'Set by Rota.';
comment on constraint message_state_is_a_known_word on dba.message is 'People set retry or dismissed.';
create index message_by_fingerprint on dba.message (connection_name, fingerprint);
create index message_by_state on dba.message (connection_name, folder, state) where state in ('saving', 'saved', 'failed', 'retry');
create index message_by_run on dba.message (run_id);

create table dba.messagedecision (
  message_id   bigint       not null references dba.message (message_id) on delete cascade,
  config_name  text         not null,
  rule_order   integer      not null,
  decision     text         not null,
  failed_on    text,
  detail       text,
  run_id       uuid,
  decided_at   timestamptz  not null default clock_timestamp(),
  primary key (message_id, config_name),
  constraint decision_is_a_known_word check (decision in ('matched', 'not_matched', 'refused', 'not_asked'))
);
comment on table dba.messagedecision is 'What each rule made of each mail, and which filter it failed on.';
comment on column dba.messagedecision.message_id is 'The mail.';
comment on column dba.messagedecision.config_name is 'The rule: row of dba.inboxconfig.';
comment on column dba.messagedecision.rule_order is 'Its place when it was asked.';
comment on column dba.messagedecision.decision is 'matched, not_matched, refused (it matched, and trust or size forbade it), or not_asked (an earlier rule took the mail).';
comment on column dba.messagedecision.failed_on is 'The column of dba.inboxconfig that it failed on: subject_pattern.';
comment on column dba.messagedecision.detail is 'What was found there.';
comment on column dba.messagedecision.run_id is 'The run that decided.';
comment on column dba.messagedecision.decided_at is 'When.';
comment on constraint messagedecision_message_id_fkey on dba.messagedecision is 'Set by Rota.';
comment on constraint decision_is_a_known_word on dba.messagedecision is 'Set by Rota.';

create table dba.messagefile (
  message_id   bigint  not null references dba.message (message_id) on delete cascade,
  part         text    not null,
  config_name  text    not null,
  file_name    text    not null,
  saved_as     text    not null,
  saved_path   text    not null,
  size_bytes   bigint  not null,
  sha256       text    not null,
  file_id      bigint  references dba.file (file_id) on delete set null,
  saved_at     timestamptz not null default clock_timestamp(),
  primary key (message_id, part, config_name)
);
comment on table dba.messagefile is 'Files saved from mails.';
comment on column dba.messagefile.message_id is 'The mail.';
comment on column dba.messagefile.part is 'Which part of the mail: 2, 2.1; eml for the whole mail.';
comment on column dba.messagefile.config_name is 'The rule that saved it.';
comment on column dba.messagefile.file_name is 'Name that it came with.';
comment on column dba.messagefile.saved_as is 'Name that it was given.';
comment on column dba.messagefile.saved_path is 'Where it was saved.';
comment on column dba.messagefile.size_bytes is 'Its size.';
comment on column dba.messagefile.sha256 is 'Hash of its bytes, hexadecimal.';
comment on column dba.messagefile.file_id is 'Its row in the file ledger.';
comment on column dba.messagefile.saved_at is 'When.';
comment on constraint messagefile_message_id_fkey on dba.messagefile is 'Set by Rota.';
comment on constraint messagefile_file_id_fkey on dba.messagefile is 'Set by Rota.';
create index messagefile_by_path on dba.messagefile (saved_path) where file_id is null;
create index messagefile_by_file on dba.messagefile (file_id);

create table dba.rehearsal (
  rehearsal_id  bigint       primary key generated always as identity,
  run_id        uuid,
  config_name   text         not null,
  days          integer      not null default 7,
  state         text         not null default 'requested',
  message       text,
  messages      integer,
  matched       integer,
  requested_at  timestamptz  not null default clock_timestamp(),
  requested_by  text         not null default session_user,
  finished_at   timestamptz,
  constraint rehearsal_state_is_a_known_word check (state in ('requested', 'running', 'done', 'failed')),
  constraint days_is_between_1_and_3650 check (days between 1 and 3650)
);
comment on table dba.rehearsal is 'What the rules would do with the mails of the last days, without touching anything: select dba.request_rehearsal(''price mails'', 30) returns the rehearsal_id to look at here and in dba.rehearsalmail.';
comment on column dba.rehearsal.rehearsal_id is 'Number of the request.';
comment on column dba.rehearsal.run_id is 'The run that answers it.';
comment on column dba.rehearsal.config_name is 'Row of dba.inboxconfig.';
comment on column dba.rehearsal.days is 'How many days back.';
comment on column dba.rehearsal.state is 'requested, running, done or failed (message says why).';
comment on column dba.rehearsal.message is 'The answer in words.';
comment on column dba.rehearsal.messages is 'Mails that were looked at.';
comment on column dba.rehearsal.matched is 'Mails that the rule would take.';
comment on column dba.rehearsal.requested_at is 'When it was asked for.';
comment on column dba.rehearsal.requested_by is 'Who asked.';
comment on column dba.rehearsal.finished_at is 'When it was answered.';
comment on constraint rehearsal_state_is_a_known_word on dba.rehearsal is 'Set by Rota.';
comment on constraint days_is_between_1_and_3650 on dba.rehearsal is 'Write days, for example 30.';

create table dba.rehearsalmail (
  rehearsal_id  bigint       not null references dba.rehearsal (rehearsal_id) on delete cascade,
  position      integer      not null,
  config_name   text         not null,
  sender        text,
  subject       text,
  received_at   timestamptz,
  decision      text         not null,
  failed_on     text,
  detail        text,
  files         text[],
  would_file_to text,
  primary key (rehearsal_id, position, config_name)
);
comment on table dba.rehearsalmail is 'One row per mail and rule of a rehearsal.';
comment on column dba.rehearsalmail.rehearsal_id is 'The rehearsal.';
comment on column dba.rehearsalmail.position is 'Number of the mail, the newest first.';
comment on column dba.rehearsalmail.config_name is 'The rule.';
comment on column dba.rehearsalmail.sender is 'Address of the sender.';
comment on column dba.rehearsalmail.subject is 'Subject.';
comment on column dba.rehearsalmail.received_at is 'When the mailbox got it.';
comment on column dba.rehearsalmail.decision is 'As in dba.messagedecision.';
comment on column dba.rehearsalmail.failed_on is 'The filter that it failed on.';
comment on column dba.rehearsalmail.detail is 'What was found there.';
comment on column dba.rehearsalmail.files is 'Names under which files would be saved.';
comment on column dba.rehearsalmail.would_file_to is 'Label or folder that the mail would go to.';
comment on constraint rehearsalmail_rehearsal_id_fkey on dba.rehearsalmail is 'Set by Rota.';

create function dba.message_rules()
returns trigger
language plpgsql
as $$
begin
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

grant select on dba.message, dba.messagedecision, dba.messagefile, dba.rehearsal, dba.rehearsalmail to rota_reader;
grant update on dba.message to rota_dba, rota_operator;
grant select, insert, update, delete on dba.message, dba.messagedecision, dba.messagefile, dba.rehearsal, dba.rehearsalmail to rota_worker;

select dba.pin_search_path();
