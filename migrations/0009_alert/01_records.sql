-- What the watch keeps: how far it got, how full the disks are, and who is told of which incident.

create table dba.watchmark (
  mark      text         primary key,
  moved_at  timestamptz  not null,
  since     timestamptz  not null,
  constraint watchmark_is_a_known_word check (mark in ('look', 'whole', 'digest', 'heartbeat'))
) with (fillfactor = 50);
comment on table dba.watchmark is 'How far the watch over all that runs has got. Kept by Rota.';
comment on column dba.watchmark.mark is 'look (at what ended since), whole (at everything), digest, heartbeat (the address outside was called).';
comment on column dba.watchmark.moved_at is 'When that was last done.';
comment on column dba.watchmark.since is 'Since when it has been done without a gap of a minute.';
comment on constraint watchmark_is_a_known_word on dba.watchmark is 'Set by Rota.';

create table dba.disk (
  host         text         not null,
  path         text         not null,
  free_bytes   bigint       not null,
  total_bytes  bigint       not null,
  worker       text         not null,
  seen_at      timestamptz  not null default clock_timestamp(),
  primary key (host, path)
) with (fillfactor = 50);
comment on table dba.disk is 'How full the disks are that Rota writes to, as its workers see them: select * from dba.disk order by free_bytes. The limits: dba.setting.min_free_bytes and min_free_percent.';
comment on column dba.disk.host is 'Machine.';
comment on column dba.disk.path is 'Folder: the data folder of a worker, or that of the embedded Postgres.';
comment on column dba.disk.free_bytes is 'What the worker may still write there.';
comment on column dba.disk.total_bytes is 'Size of the disk.';
comment on column dba.disk.worker is 'Who looked.';
comment on column dba.disk.seen_at is 'When.';

create table dba.alertmessage (
  message_id     bigint       primary key generated always as identity,
  alert_id       bigint       not null references dba.alert (alert_id) on delete cascade,
  event          text         not null,
  number         integer      not null default 1,
  address        text         not null,
  way            text         not null,
  state          text         not null default 'waiting',
  reason         text,
  created_at     timestamptz  not null,
  told_at        timestamptz,
  outbox_id      bigint       references dba.outbox (outbox_id) on delete set null,
  attempts       integer      not null default 0,
  next_try_at    timestamptz,
  answer         text,
  constraint of_one_event_an_address_is_told_once unique (alert_id, event, number, address),
  constraint alert_event_is_a_known_word check (event in ('opened', 'repeated', 'recovered', 'assigned', 'digest')),
  constraint way_is_mail_or_webhook check (way in ('mail', 'webhook')),
  constraint alertmessage_state_is_a_known_word check (state in ('waiting', 'told', 'failed', 'dropped'))
);
comment on table dba.alertmessage is 'Who is told what of which incident. To read: dba.alert_told.';
comment on column dba.alertmessage.message_id is 'Number of the message.';
comment on column dba.alertmessage.alert_id is 'The incident.';
comment on column dba.alertmessage.event is 'opened, repeated (it is still so), recovered, assigned (to this address) or digest (part of a daily mail).';
comment on column dba.alertmessage.number is 'Which time, where it can happen again.';
comment on column dba.alertmessage.address is 'Mail address, or connection of kind webhook.';
comment on column dba.alertmessage.way is 'mail or webhook.';
comment on column dba.alertmessage.state is 'waiting, told (its mail is in dba.outbox, or the webhook took it), failed (given up) or dropped (there was nothing left to tell).';
comment on column dba.alertmessage.reason is 'Why it was dropped.';
comment on column dba.alertmessage.created_at is 'When there was something to tell.';
comment on column dba.alertmessage.told_at is 'When it was told.';
comment on column dba.alertmessage.outbox_id is 'The mail.';
comment on column dba.alertmessage.attempts is 'Calls of the webhook.';
comment on column dba.alertmessage.next_try_at is 'When the webhook is called, next.';
comment on column dba.alertmessage.answer is 'What the webhook answered last.';
comment on constraint of_one_event_an_address_is_told_once on dba.alertmessage is 'Set by Rota.';
comment on constraint alert_event_is_a_known_word on dba.alertmessage is 'Set by Rota.';
comment on constraint way_is_mail_or_webhook on dba.alertmessage is 'Set by Rota.';
comment on constraint alertmessage_state_is_a_known_word on dba.alertmessage is 'Set by Rota.';
comment on constraint alertmessage_alert_id_fkey on dba.alertmessage is 'Set by Rota.';
comment on constraint alertmessage_outbox_id_fkey on dba.alertmessage is 'Set by Rota.';
create index alertmessage_by_wait on dba.alertmessage (address) where state = 'waiting';
create index alertmessage_by_trouble on dba.alertmessage (address) where state = 'failed';
create index alertmessage_by_outbox on dba.alertmessage (outbox_id) where outbox_id is not null;

-- Failures are rare: the watch finds them among all runs without a look at the others.
create index run_by_trouble on dba.run (finished_at) where state in ('failed', 'missed');

create view dba.alert_told as
  select
    a.alert_id, a.kind, a.subject, m.event, m.address, m.way,
    case when m.state = 'told' and m.way = 'mail' then coalesce(r.state, o.state, 'told') else m.state end as state,
    m.created_at as asked_at,
    case when m.way = 'mail' then o.sent_at else m.told_at end as told_at,
    case when m.way = 'mail' then coalesce(m.reason, r.text, o.error_message) else coalesce(m.reason, m.answer) end as answer,
    m.outbox_id
  from dba.alertmessage m
  join dba.alert a using (alert_id)
  left join dba.outbox o on o.outbox_id = m.outbox_id
  -- The outbox writes domains in small letters, and leaves the name out.
  left join dba.outboxrecipient r on r.outbox_id = m.outbox_id and lower(r.address) = lower(coalesce(substring(m.address from '<([^>]+)>'), m.address))
  order by m.message_id desc;
comment on view dba.alert_told is 'Was anybody told, when, how? select * from dba.alert_told where alert_id = 17. The latest first.';
comment on column dba.alert_told.alert_id is 'The incident.';
comment on column dba.alert_told.kind is 'As in dba.alert.';
comment on column dba.alert_told.subject is 'What it is about.';
comment on column dba.alert_told.event is 'opened, repeated, recovered, assigned or digest.';
comment on column dba.alert_told.address is 'Mail address, or connection of kind webhook.';
comment on column dba.alert_told.way is 'mail or webhook.';
comment on column dba.alert_told.state is 'waiting; of a mail as in dba.outboxrecipient: sent, refused, unknown, bounced; of a webhook told or failed; dropped: there was nothing left to tell.';
comment on column dba.alert_told.asked_at is 'When there was something to tell.';
comment on column dba.alert_told.told_at is 'When the mail server or the webhook took it.';
comment on column dba.alert_told.answer is 'What it said, or why nothing was told.';
comment on column dba.alert_told.outbox_id is 'The mail: dba.outbox.';
