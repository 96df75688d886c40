-- Outgoing mail: stored before anything is sent, sent once, and again only when people say so.

create table dba.outbox (
  outbox_id        bigint       primary key generated always as identity,
  once_key         text         not null,
  kind             text         not null,
  connection_name  text,
  config_name      text,
  schedule_name    text,
  run_id           uuid,
  scheduled_for    timestamptz,
  message_id       text         not null,
  dated_at         timestamptz  not null,
  sender           text         not null,
  subject          text         not null,
  excerpt          text         not null default '',
  size_bytes       bigint       not null,
  sha256           text         not null,
  state            text         not null default 'rendered',
  reason           text,
  resend_to        text[],
  when_unknown     text,
  round            integer      not null default 1,
  attempts         integer      not null default 0,
  asked_at         timestamptz  not null default clock_timestamp(),
  next_try_at      timestamptz,
  claim            uuid,
  claimed_by       text,
  claimed_until    timestamptz,
  created_at       timestamptz  not null default clock_timestamp(),
  sending_at       timestamptz,
  sent_at          timestamptz,
  response         text,
  error_code       text,
  error_message    text,
  error_detail     text,
  error_hint       text,
  constraint a_message_goes_out_once unique (once_key),
  constraint outbox_state_is_a_known_word check (state in ('rendered', 'resend', 'sending', 'sent', 'refused', 'unknown', 'held', 'cancelled')),
  constraint outbox_kind_is_report_alert_or_test check (kind in ('report', 'alert', 'test')),
  constraint when_unknown_is_hold_resend_or_assume_sent check (when_unknown in ('hold', 'resend', 'assume_sent'))
);
comment on table dba.outbox is 'Every mail that goes out, stored before it is sent. To send the same bytes again to those who did not get it: update dba.outbox set state = ''resend'' where outbox_id = 17; to chosen people: set state = ''resend'', resend_to = ''{ann@example.com}''. To stop one, or to close one whose fate is unknown: set state = ''cancelled''.';
comment on column dba.outbox.outbox_id is 'Number of the mail.';
comment on column dba.outbox.once_key is 'Report, fire and recipients in one key; the same key is stored once.';
comment on column dba.outbox.kind is 'report, alert or test.';
comment on column dba.outbox.connection_name is 'Row of dba.connection that it goes out by. Null: the folder outbox below the data folder.';
comment on column dba.outbox.config_name is 'The report: row of its settings table.';
comment on column dba.outbox.schedule_name is 'Schedule of the run that made it.';
comment on column dba.outbox.run_id is 'The run that made it.';
comment on column dba.outbox.scheduled_for is 'The fire that it is for.';
comment on column dba.outbox.message_id is 'Its Message-ID header: what mail servers and mailboxes know it by. A resend has the same.';
comment on column dba.outbox.dated_at is 'Its Date header.';
comment on column dba.outbox.sender is 'Address it is sent from; bounces come back to it.';
comment on column dba.outbox.subject is 'Its subject.';
comment on column dba.outbox.excerpt is 'Beginning of its text. The whole: rota outbox 17 --save mail.eml.';
comment on column dba.outbox.size_bytes is 'Size of the whole mail.';
comment on column dba.outbox.sha256 is 'Hash of its bytes, hexadecimal.';
comment on column dba.outbox.state is 'rendered (stored, not sent yet), resend, sending, sent, refused (nobody got it), unknown (the server may or may not have it, and a person decides), held (waits for a person), cancelled. People set resend or cancelled. What became of it for each recipient stands in dba.outboxrecipient.';
comment on column dba.outbox.reason is 'In words: why it is in this state.';
comment on column dba.outbox.resend_to is 'With state = ''resend'': who gets the same bytes, whether they were recipients or not. Null: those who did not get it.';
comment on column dba.outbox.when_unknown is 'What happens when nobody knows whether the server took it: hold (a person decides), resend (somebody may get it twice) or assume_sent (somebody may not get it). Null: when_unknown in the options of the connection, else hold.';
comment on column dba.outbox.round is 'Counts up each time people have it sent again.';
comment on column dba.outbox.attempts is 'Tries to send it in this round.';
comment on column dba.outbox.asked_at is 'Since when it is to go out: stored, or asked for again. After two days of trying it counts as refused.';
comment on column dba.outbox.next_try_at is 'When a worker sends it by itself. Null: its run does.';
comment on column dba.outbox.claim is 'Who is at it, as a number of that try.';
comment on column dba.outbox.claimed_by is 'Worker or run that is at it, or was last.';
comment on column dba.outbox.claimed_until is 'Sign of life of whoever is at it: after that it is free for others.';
comment on column dba.outbox.created_at is 'When it was stored.';
comment on column dba.outbox.sending_at is 'When it was last given to a server.';
comment on column dba.outbox.sent_at is 'When it was last taken.';
comment on column dba.outbox.response is 'What the server said last.';
comment on column dba.outbox.error_code is 'Of the last try: stable word.';
comment on column dba.outbox.error_message is 'Of the last try: what went wrong.';
comment on column dba.outbox.error_detail is 'Of the last try: what was seen.';
comment on column dba.outbox.error_hint is 'Of the last try: what to do.';
comment on constraint a_message_goes_out_once on dba.outbox is 'Set by Rota.';
comment on constraint outbox_state_is_a_known_word on dba.outbox is 'People set resend or cancelled.';
comment on constraint outbox_kind_is_report_alert_or_test on dba.outbox is 'Set by Rota.';
comment on constraint when_unknown_is_hold_resend_or_assume_sent on dba.outbox is 'Set by Rota.';
create index outbox_by_due on dba.outbox (next_try_at) where state in ('rendered', 'resend') and next_try_at is not null;
create index outbox_by_sending on dba.outbox (claimed_until) where state = 'sending';
create index outbox_by_trouble on dba.outbox (state) where state in ('unknown', 'refused');
create index outbox_by_message_id on dba.outbox (message_id);
create index outbox_by_run on dba.outbox (run_id);
create index outbox_by_age on dba.outbox (created_at);

create table dba.outboxrecipient (
  outbox_id  bigint       not null references dba.outbox (outbox_id) on delete cascade,
  address    text         not null,
  kind       text         not null,
  position   integer      not null,
  state      text         not null default 'waiting',
  code       text,
  text       text,
  at         timestamptz,
  primary key (outbox_id, address),
  constraint recipient_kind_is_to_cc_bcc_or_also check (kind in ('to', 'cc', 'bcc', 'also')),
  constraint recipient_state_is_a_known_word check (state in ('waiting', 'sent', 'refused', 'unknown', 'bounced', 'cancelled'))
);
comment on table dba.outboxrecipient is 'What became of each mail for each of its recipients.';
comment on column dba.outboxrecipient.outbox_id is 'The mail.';
comment on column dba.outboxrecipient.address is 'Mail address.';
comment on column dba.outboxrecipient.kind is 'to, cc or bcc; also: somebody who was chosen by resend_to.';
comment on column dba.outboxrecipient.position is 'Place among the recipients.';
comment on column dba.outboxrecipient.state is 'waiting, sent (the server took it for this address), refused, unknown, bounced (it came back later), cancelled.';
comment on column dba.outboxrecipient.code is 'Code of the server''s last answer for this address: 550.';
comment on column dba.outboxrecipient.text is 'That answer, or the bounce, in words.';
comment on column dba.outboxrecipient.at is 'When that was.';
comment on constraint outboxrecipient_outbox_id_fkey on dba.outboxrecipient is 'Set by Rota.';
comment on constraint recipient_kind_is_to_cc_bcc_or_also on dba.outboxrecipient is 'Set by Rota.';
comment on constraint recipient_state_is_a_known_word on dba.outboxrecipient is 'Set by Rota.';
create index outboxrecipient_by_address on dba.outboxrecipient (address);

create table dba.outboxcontent (
  outbox_id  bigint   not null references dba.outbox (outbox_id) on delete cascade,
  piece      integer  not null,
  bytes      bytea    not null,
  primary key (outbox_id, piece)
);
-- They are compressed already.
alter table dba.outboxcontent alter column bytes set storage external;
comment on table dba.outboxcontent is 'The bytes of mails, compressed with gzip as a whole and cut into pieces; they go after dba.setting.retention_outboxcontent.';
comment on column dba.outboxcontent.outbox_id is 'The mail.';
comment on column dba.outboxcontent.piece is 'Order of the pieces, from 1.';
comment on column dba.outboxcontent.bytes is 'Up to 1 MiB.';
comment on constraint outboxcontent_outbox_id_fkey on dba.outboxcontent is 'Set by Rota.';

create view dba.mail_sent as
  select
    o.outbox_id, coalesce(o.sent_at, o.sending_at, o.created_at) as at, o.kind, o.state, o.reason, o.config_name, o.schedule_name, o.scheduled_for, o.sender, o.subject,
    r.sent_to, r.not_sent_to, o.excerpt, o.size_bytes, o.attempts, coalesce(o.error_message || coalesce(': ' || o.error_detail, ''), o.response) as answer, o.run_id
  from dba.outbox o
  cross join lateral (
    select
      string_agg(p.address, ', ' order by p.position) filter (where p.state = 'sent') as sent_to,
      string_agg(format('%s (%s)', p.address, concat_ws(': ', p.state, nullif(concat_ws(' ', p.code, p.text), ''))), ', ' order by p.position) filter (where p.state <> 'sent') as not_sent_to
    from dba.outboxrecipient p
    where p.outbox_id = o.outbox_id
  ) r
  order by 2 desc;
comment on view dba.mail_sent is 'Mails as people look for them, the latest first: what went to whom, and who did not get it. select * from dba.mail_sent where not_sent_to is not null;';
comment on column dba.mail_sent.outbox_id is 'Number of the mail in dba.outbox.';
comment on column dba.mail_sent.at is 'When it was sent, or last tried, or stored.';
comment on column dba.mail_sent.kind is 'report, alert or test.';
comment on column dba.mail_sent.state is 'As in dba.outbox.';
comment on column dba.mail_sent.reason is 'Why it is in this state.';
comment on column dba.mail_sent.config_name is 'The report.';
comment on column dba.mail_sent.schedule_name is 'Its schedule.';
comment on column dba.mail_sent.scheduled_for is 'The fire that it is for.';
comment on column dba.mail_sent.sender is 'Address it is sent from.';
comment on column dba.mail_sent.subject is 'Its subject.';
comment on column dba.mail_sent.sent_to is 'Addresses for which the server took it.';
comment on column dba.mail_sent.not_sent_to is 'The others, each with what became of it.';
comment on column dba.mail_sent.excerpt is 'Beginning of its text.';
comment on column dba.mail_sent.size_bytes is 'Size of the whole mail.';
comment on column dba.mail_sent.attempts is 'Tries to send it.';
comment on column dba.mail_sent.answer is 'The last error, or what the server said.';
comment on column dba.mail_sent.run_id is 'The run that made it.';

grant select on dba.outbox, dba.outboxrecipient, dba.mail_sent to rota_reader;
grant select on dba.outboxcontent to rota_reader;
grant select, insert, update, delete on dba.outbox, dba.outboxrecipient, dba.outboxcontent to rota_worker;
