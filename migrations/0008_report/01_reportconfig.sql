-- Job report and its settings: what is mailed to whom, when, and under which conditions.

insert into dba.job (job, description, config_table, args_allowed, holds_for_data) values
  ('report', 'Runs queries, puts their answers into a mail as tables, values, charts and files, and sends it once to each recipient.', 'reportconfig',
   '{preview,test_to}', true);

create table dba.reportconfig (
  config_name       text         primary key,
  is_active         boolean      not null default true,
  connection_name   text         references dba.connection (connection_name) on update cascade on delete restrict,
  cron              text,
  time_zone         text         not null default dba.default_time_zone(),
  sender            text,
  reply_to          text,
  subject           text         not null,
  to_addresses      text[]       not null default '{}',
  cc                text[]       not null default '{}',
  bcc               text[]       not null default '{}',
  recipient_query   text,
  body_html         text,
  body_text         text,
  skip_if_empty     boolean      not null default false,
  only_if_changed   boolean      not null default false,
  threshold_query   text,
  fresh_datasets    text[],
  fresh_schedules   text[],
  fresh_within      interval,
  hold_until        time,
  when_stale        text         not null default 'hold',
  show_findings     boolean      not null default false,
  max_rows_inline   integer      not null default 500,
  max_bytes         bigint       not null default 26214400,
  query_connection  text         references dba.connection (connection_name) on update cascade on delete restrict,
  query_timeout     interval     not null default '5 minutes',
  allowed_domains   text[],
  when_unknown      text         not null default 'hold',
  description       text,
  owner             text,
  created_at        timestamptz  not null default clock_timestamp(),
  created_by        text         not null default session_user,
  updated_at        timestamptz  not null default clock_timestamp(),
  updated_by        text         not null default session_user,
  version           integer      not null default 1,

  constraint config_name_is_not_blank check (btrim(config_name) <> '' and config_name !~ '[[:cntrl:]]' and length(config_name) <= 200),
  constraint subject_is_one_line check (btrim(subject) <> '' and subject !~ '[[:cntrl:]]'),
  constraint sender_is_an_address check (dba.is_mail_address(sender)),
  constraint reply_to_is_an_address check (dba.is_mail_address(reply_to)),
  constraint recipients_are_addresses check (dba.are_mail_addresses(to_addresses) and dba.are_mail_addresses(cc) and dba.are_mail_addresses(bcc)),
  constraint a_recipient_query_stands_for_to_addresses check (recipient_query is null or to_addresses = '{}'),
  constraint queries_are_not_blank check (btrim(recipient_query) <> '' and btrim(threshold_query) <> ''),
  constraint fresh_within_is_positive check (fresh_within > '0'),
  constraint when_stale_is_hold_banner_or_note check (when_stale in ('hold', 'banner', 'note')),
  constraint freshness_is_that_of_something check (
    coalesce(cardinality(fresh_datasets), 0) + coalesce(cardinality(fresh_schedules), 0) > 0 or hold_until is null and fresh_within is null),
  constraint fresh_names_are_texts check (
    array_position(fresh_datasets, null) is null and array_position(fresh_schedules, null) is null),
  constraint max_rows_inline_is_between_0_and_10000 check (max_rows_inline between 0 and 10000),
  constraint max_bytes_is_between_1_kb_and_1_gb check (max_bytes between 1024 and 1073741824),
  constraint query_timeout_is_between_1_second_and_1_day check (query_timeout between '1 second' and '1 day'),
  constraint allowed_domains_are_domains check (array_to_string(allowed_domains, chr(10), '@') ~ '^([a-z0-9-]+([.][a-z0-9-]+)+(\n|$))+$'),
  constraint when_unknown_is_hold_or_resend_or_assume_sent check (when_unknown in ('hold', 'resend', 'assume_sent'))
);

comment on table dba.reportconfig is 'Reports by mail: subject, recipients, text with places for queries (dba.reportquery), conditions. Least: insert into dba.reportconfig (config_name, subject, to_addresses, body_html) values (''open orders'', ''Open orders {date}'', ''{boss@example.com}'', ''<p>Good morning.</p>{{orders}}''); then a row in dba.reportquery for orders. See it first: select dba.request_preview(''open orders'').';
comment on column dba.reportconfig.config_name is 'Its name; also that of the schedule that cron makes.';
comment on column dba.reportconfig.is_active is 'False: the schedule that cron makes is switched off with it, and fires of other schedules are skipped.';
comment on column dba.reportconfig.connection_name is 'Row of dba.connection of kind smtp, gmail or folder that the mail goes out by. Null: the one in dba.setting mail_connection; is that null too, the folder outbox below the data folder.';
comment on column dba.reportconfig.cron is 'When: 20 6 * * 1-5. Makes a schedule of the same name in dba.scheduler and keeps it in step; everything but cron and time_zone is changed there (calendar, run_after, due_by …). Null: no schedule of its own.';
comment on column dba.reportconfig.time_zone is 'Zone of cron, of {timestamp} and {date}, and of hold_until: an IANA name.';
comment on column dba.reportconfig.sender is 'From: Rota <rota@example.com>. Null: dba.setting mail_sender.';
comment on column dba.reportconfig.reply_to is 'Where answers go. Null: to the sender.';
comment on column dba.reportconfig.subject is 'Subject; {timestamp} (20261122T062000), {date} (2026-11-22) and, with recipient_query, {column} of the recipient are filled in.';
comment on column dba.reportconfig.to_addresses is 'Who gets it: {ann@example.com,"Bob B" <bob@example.com>}. People who come and go stand in dba.reportrecipient.';
comment on column dba.reportconfig.cc is 'Who gets a copy that all see.';
comment on column dba.reportconfig.bcc is 'Who gets a copy that nobody sees.';
comment on column dba.reportconfig.recipient_query is 'One mail per row of this query: column address is the recipient (cc and bcc, when there, too; several are separated by commas), and every column can be used as {column} in subject, body and file names and as :column in the queries.';
comment on column dba.reportconfig.body_html is 'The mail as HTML; {{query_name}} places a query of dba.reportquery, {timestamp} and {date} are filled in. A place that nothing fills fails the run. Null: the queries one below the other.';
comment on column dba.reportconfig.body_text is 'The mail as plain text, with the same places. Null: made from the same answers.';
comment on column dba.reportconfig.skip_if_empty is 'True: no mail when no table, chart or file has a row; with values alone, when all are empty.';
comment on column dba.reportconfig.only_if_changed is 'True: no mail to a recipient whose answers are the same as in the last mail that went out.';
comment on column dba.reportconfig.threshold_query is 'SELECT that answers true or false; the mail goes out only when true: select count(*) > 10 from feeds.order where open.';
comment on column dba.reportconfig.fresh_datasets is 'Data that must be fresh: datasources (dba.datasource), or tables as schema.table: {prices,feeds.order}. Fresh: its newest dataset is active and came within fresh_within.';
comment on column dba.reportconfig.fresh_schedules is 'Schedules whose last run must have succeeded within fresh_within.';
comment on column dba.reportconfig.fresh_within is 'How old data may be at the fire: 26 hours. Null: since midnight of the fire''s day in time_zone.';
comment on column dba.reportconfig.hold_until is 'While data is not fresh the run waits until this local time (that of the next day when it is earlier than the fire). Null: it does not wait.';
comment on column dba.reportconfig.when_stale is 'When data is still not fresh at hold_until: hold (default: nothing is sent and the run fails with data_not_fresh), banner (sent with a red line that says how old the data is) or note (a short mail that says it is delayed).';
comment on column dba.reportconfig.show_findings is 'True: the day''s quality findings (refused rows, quarantined datasets) of fresh_datasets and of the tables that the queries read stand in the mail.';
comment on column dba.reportconfig.max_rows_inline is 'Most rows of a table in the body; the mail says how many there are in all.';
comment on column dba.reportconfig.max_bytes is 'Largest mail in bytes, as it is sent: 25 MB. A larger one is not sent and fails the run.';
comment on column dba.reportconfig.query_connection is 'Row of dba.connection of kind postgres that the queries run on. Null: this database, as the login rota_query.';
comment on column dba.reportconfig.query_timeout is 'Longest time for one query.';
comment on column dba.reportconfig.allowed_domains is 'Domains that recipients may have: {example.com,example.org}; others are refused with recipient_not_allowed and nothing is sent. Null: any.';
comment on column dba.reportconfig.when_unknown is 'When the connection breaks between the end of a mail and the server''s answer: hold (default: a person decides), resend, or assume_sent.';
comment on column dba.reportconfig.description is 'What it tells, for whom; printed at its foot.';
comment on column dba.reportconfig.owner is 'Who answers for it; printed at its foot.';

comment on constraint reportconfig_connection_name_fkey on dba.reportconfig is 'Insert the connection into dba.connection first.';
comment on constraint reportconfig_query_connection_fkey on dba.reportconfig is 'Insert the connection into dba.connection first.';
comment on constraint config_name_is_not_blank on dba.reportconfig is 'Give it a name of at most 200 characters on one line, for example open orders.';
comment on constraint subject_is_one_line on dba.reportconfig is 'Write it on one line.';
comment on constraint sender_is_an_address on dba.reportconfig is 'Write one address: rota@example.com, or Rota <rota@example.com>.';
comment on constraint reply_to_is_an_address on dba.reportconfig is 'Write one address: desk@example.com.';
comment on constraint recipients_are_addresses on dba.reportconfig is 'Write addresses as an array: ''{ann@example.com,bob@example.com}''; a name goes in front: ''{"Ann A <ann@example.com>"}''.';
comment on constraint a_recipient_query_stands_for_to_addresses on dba.reportconfig is 'Give to_addresses, or recipient_query, not both.';
comment on constraint queries_are_not_blank on dba.reportconfig is 'Write a SELECT, or null.';
comment on constraint fresh_within_is_positive on dba.reportconfig is 'Write for example 26 hours, or null for since midnight.';
comment on constraint when_stale_is_hold_banner_or_note on dba.reportconfig is 'Write hold, banner or note.';
comment on constraint freshness_is_that_of_something on dba.reportconfig is 'Name in fresh_datasets or fresh_schedules what must be fresh, or leave hold_until and fresh_within empty.';
comment on constraint fresh_names_are_texts on dba.reportconfig is 'Write names: ''{prices}''.';
comment on constraint max_rows_inline_is_between_0_and_10000 on dba.reportconfig is 'Write 0 to 10000; attach longer answers as a file (shown_as csv or xlsx).';
comment on constraint max_bytes_is_between_1_kb_and_1_gb on dba.reportconfig is 'Write bytes, for example 26214400 (25 MB).';
comment on constraint query_timeout_is_between_1_second_and_1_day on dba.reportconfig is 'Write for example 5 minutes.';
comment on constraint allowed_domains_are_domains on dba.reportconfig is 'Write domains in lower case without @: ''{example.com}''; null: any.';
comment on constraint when_unknown_is_hold_or_resend_or_assume_sent on dba.reportconfig is 'Write hold, resend or assume_sent.';

create function dba.reportconfig_rules()
returns trigger
language plpgsql
as $$
declare
  kind_found text;
  unknown text;
begin
  if new.connection_name is not null then
    select kind into kind_found from dba.connection where connection_name = new.connection_name;
    if coalesce(kind_found not in ('smtp', 'gmail', 'folder'), true) then
      perform dba.refuse(
        case when kind_found is null then format('no connection "%s"', new.connection_name) else format('connection "%s" is of kind %s', new.connection_name, kind_found) end,
        'Mails go out by a connection of kind smtp, gmail or folder. ' || dba.known_names_hint(new.connection_name, array(select connection_name from dba.connection where kind in ('smtp', 'gmail', 'folder'))), null, '23503');
    end if;
  end if;
  if new.query_connection is not null then
    select kind into kind_found from dba.connection where connection_name = new.query_connection;
    if kind_found is distinct from 'postgres' then
      perform dba.refuse(
        case when kind_found is null then format('no connection "%s"', new.query_connection) else format('connection "%s" is of kind %s', new.query_connection, kind_found) end,
        'Queries of reports run on a connection of kind postgres; null: this database. ' || dba.known_names_hint(new.query_connection, array(select connection_name from dba.connection where kind = 'postgres')), null, '23503');
    end if;
  end if;
  if new.time_zone is not null and not exists (select from dba.timezone where time_zone = new.time_zone) then
    perform dba.refuse(format('time zone "%s" is not known', new.time_zone),
      coalesce('Did you mean "' || dba.nearest_name(new.time_zone, array(select time_zone from dba.timezone)) || '"? ', '') || 'Write an IANA name such as Europe/Warsaw: select * from dba.timezone.');
  end if;
  if new.cron is not null then
    perform dba.check_cron(new.cron);
    if lower(btrim(new.cron)) = '@always' then
      perform dba.refuse('a report cannot run @always', 'Write when it goes out: 20 6 * * 1-5, or @daily.');
    end if;
  end if;
  select u into unknown from unnest(new.fresh_schedules) u where not exists (select from dba.scheduler s where s.schedule_name = u) limit 1;
  if found then
    perform dba.refuse(format('fresh_schedules names no schedule "%s"', unknown), dba.known_names_hint(unknown, array(select s.schedule_name from dba.scheduler s)));
  end if;
  select u into unknown from unnest(new.fresh_datasets) u
  where not exists (select from dba.datasource d where d.datasource = u) and u !~ '^[^.]+[.][^.]+$' limit 1;
  if found then
    perform dba.refuse(format('fresh_datasets names no datasource "%s"', unknown),
      dba.known_names_hint(unknown, array(select d.datasource from dba.datasource d)) || ' A table is written schema.table.');
  end if;
  select a into unknown from unnest(new.to_addresses || new.cc || new.bcc) a
  where new.allowed_domains is not null and lower(substring(a from '@([^@> ]+)>?\s*$')) <> all (new.allowed_domains) limit 1;
  if found then
    perform dba.refuse(format('recipient "%s" is outside allowed_domains', unknown), 'Add the domain to allowed_domains, or take the address out.');
  end if;
  return new;
end
$$;
comment on function dba.reportconfig_rules() is 'BEFORE trigger of dba.reportconfig: refuses unknown names, zones and crons, and recipients outside allowed_domains.';
create trigger m_reportconfig_rules before insert or update on dba.reportconfig for each row when (current_user <> 'rota_worker') execute function dba.reportconfig_rules();

-- The cron of a report is a row of dba.scheduler like any other; only what stands here is kept in step.
create function dba.keep_report_schedule()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  maker constant text := 'dba.reportconfig';
begin
  if tg_op = 'DELETE' then
    delete from dba.scheduler where job = 'report' and config_name = old.config_name and generated_by in (maker, 'requests for dba.reportconfig');
    return old;
  end if;
  if new.cron is null then
    delete from dba.scheduler where job = 'report' and config_name = new.config_name and generated_by = maker;
    return null;
  end if;
  if exists (select from dba.scheduler s where s.schedule_name = new.config_name and (s.job, s.config_name, s.generated_by) is distinct from ('report', new.config_name, maker)) then
    perform dba.refuse(format('the report''s schedule would be called "%s", and there is another one of that name', new.config_name),
      'Give the report or that schedule another name.', null, '23505');
  end if;
  update dba.scheduler set schedule_name = new.config_name, cron = new.cron, time_zone = new.time_zone
  where job = 'report' and config_name = new.config_name and generated_by = maker and (schedule_name, cron, time_zone) is distinct from (new.config_name, new.cron, new.time_zone);
  -- Somebody who has switched the schedule alone off or on is not overruled by other edits.
  if tg_op = 'UPDATE' and new.is_active <> old.is_active then
    update dba.scheduler set is_active = new.is_active where job = 'report' and config_name = new.config_name and generated_by = maker and is_active <> new.is_active;
  end if;
  if not exists (select from dba.scheduler s where s.job = 'report' and s.config_name = new.config_name and s.generated_by = maker) then
    insert into dba.scheduler (schedule_name, job, config_name, cron, time_zone, is_active, owner, description, generated_by)
    values (new.config_name, 'report', new.config_name, new.cron, new.time_zone, new.is_active, new.owner, 'Sends the report of this name.', maker);
  end if;
  return null;
end
$$;
comment on function dba.keep_report_schedule() is 'Trigger of dba.reportconfig: its cron is a row of dba.scheduler of the same name.';

select dba.adopt_config_table('report');

-- After register_after by its name: the schedule refers to the registered config.
create trigger report_schedule after insert or update on dba.reportconfig for each row when (current_user <> 'rota_worker') execute function dba.keep_report_schedule();
create trigger forget_schedule before delete on dba.reportconfig for each row execute function dba.keep_report_schedule();
