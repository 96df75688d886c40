-- What schedules refer to: zones, calendars, lanes, settings, jobs, configs, connections, secrets.

create table dba.timezone (
  time_zone  text  primary key
);
comment on table dba.timezone is 'The time zones of this server, refreshed when a worker starts. dba.scheduler.time_zone is one of them.';
comment on column dba.timezone.time_zone is 'IANA name, for example Europe/Warsaw.';

create function dba.refresh_timezones()
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into dba.timezone (time_zone)
  select name from pg_timezone_names where name ~ '^[A-Z][A-Za-z]+/' and name !~ '^(posix|right|SystemV)/' or name = 'UTC'
  on conflict do nothing
$$;
comment on function dba.refresh_timezones() is 'Adds the zones that this server has learnt since. A worker calls it when it starts.';
select dba.refresh_timezones();

create table dba.setting (
  name         text         primary key,
  value        text,
  description  text         not null,
  updated_at   timestamptz  not null default clock_timestamp(),
  updated_by   text         not null default session_user
);
comment on table dba.setting is 'Settings of the whole house: UPDATE the value, the names are fixed.';
comment on column dba.setting.name is 'Fixed name of the setting.';
comment on column dba.setting.value is 'Its value as text; null means: not set.';
comment on column dba.setting.description is 'What it does and what may stand there.';
comment on column dba.setting.updated_at is 'When it was last changed.';
comment on column dba.setting.updated_by is 'Who changed it.';

insert into dba.setting (name, value, description) values
  ('time_zone', 'UTC', 'Zone of schedules that name none: an IANA name.'),
  ('home', null, 'Cluster and database this control plane belongs to. Kept by Rota; a restored copy differs and stays still.'),
  ('is_live', 'true', 'true: schedules fire here. false: nothing fires. Set it to true on a restored copy to make that copy the live one; past fires are then missed.'),
  ('live_since', null, 'Kept by Rota: when this database last became the live one. Fires before it are missed, never caught up.'),
  ('retention_run', '400 days', 'How long ended runs, with their attempts, stay in dba.run: an interval.'),
  ('retention_logentry', '90 days', 'How long lines stay in dba.logentry: an interval, rounded up to whole months.'),
  ('retention_configversion', '400 days', 'How long former versions of configs stay in dba.configversion: an interval. The present one stays, and so does one that a run in dba.run names. select dba.forget_config_versions() takes out the others.'),
  ('retention_alert', '400 days', 'How long incidents that recovered stay in dba.alert, with who was told: an interval.'),
  ('retention_worker', '30 days', 'How long dead workers stay in dba.worker: an interval.'),
  ('retention_outboxcontent', '90 days', 'How long the bytes of mails that went out stay in dba.outboxcontent: an interval. The rows of dba.outbox stay.'),
  ('mail_connection', null, 'Row of dba.connection of kind smtp, gmail or folder that reports and alerts go out by when they name none. Not set: the folder outbox below the data folder.'),
  ('mail_sender', null, 'Sender of reports and alerts that name none: Rota <rota@example.com>.'),
  ('alert_to', null, 'Where alerts go that name nobody and whose owner is no address: mail addresses and connections of kind webhook, separated by commas.'),
  ('alert_repeat', '4 hours', 'People are reminded of an open incident that nobody acknowledged this often: an interval. Not set: never.'),
  ('alert_storm', '5', 'More alerts than this to one address within a minute become one with a list.'),
  ('alert_band', '5', 'A run is slow or small when it is further from the median of its weekday than so many times the median deviation.'),
  ('digest_at', null, 'When each owner gets a daily mail of what is open and what recovered, in the setting time_zone: 07:00. Not set: never.'),
  ('quiet_hours', null, 'When only severe alerts are sent, in the setting time_zone: 22:00-06:00. The others wait for their end.'),
  ('connection_check', '1 hour', 'A worker tries every connection that something uses this often, one that fails every 5 minutes: an interval. Not set: only when somebody asks or changes it.'),
  ('secret_warning', '14 days', 'How long before a secret expires somebody is told: an interval.'),
  ('min_free_bytes', '1000000000', 'Somebody is told when a disk that Rota writes to has fewer bytes free.'),
  ('min_free_percent', '5', 'Somebody is told when less of a disk that Rota writes to is free.'),
  ('public_address', null, 'Address of the web pages as people reach them, for links in mails: https://rota.example.'),
  ('heartbeat_url', null, 'Address that is called every minute while all is well, so that somebody outside notices silence.');

create table dba.calendar (
  calendar     text         primary key,
  weekend      integer[]    not null default '{0,6}',
  description  text,
  created_at   timestamptz  not null default clock_timestamp(),
  created_by   text         not null default session_user,
  updated_at   timestamptz  not null default clock_timestamp(),
  updated_by   text         not null default session_user,
  version      integer      not null default 1,
  constraint calendar_is_a_plain_name check (calendar ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint weekend_days_are_numbered_0_sunday_to_6_saturday check (weekend <@ '{0,1,2,3,4,5,6}' and cardinality(weekend) < 7)
);
comment on table dba.calendar is 'A calendar of working days. Name it in dba.scheduler.calendar; put holidays and extra working days into dba.calendarday.';
comment on column dba.calendar.calendar is 'Its name: lower case letters, digits, underscores.';
comment on column dba.calendar.weekend is 'Days of the week that are free, 0 = Sunday: {0,6}. At least one day must be left to work on.';
comment on column dba.calendar.description is 'Whose calendar it is, and who keeps it.';
comment on constraint calendar_is_a_plain_name on dba.calendar is 'Write lower case letters, digits and underscores, beginning with a letter: poland, exchange_ny.';
comment on constraint weekend_days_are_numbered_0_sunday_to_6_saturday on dba.calendar is 'Write for example {0,6} for Sunday and Saturday, {5,6} for Friday and Saturday, {} for none.';

create table dba.calendarday (
  calendar  text  not null references dba.calendar (calendar) on update cascade on delete cascade,
  day       date  not null,
  kind      text  not null default 'holiday',
  note      text,
  primary key (calendar, day),
  constraint kind_is_holiday_or_workday check (kind in ('holiday', 'workday'))
);
comment on table dba.calendarday is 'Exceptions of a calendar: a holiday on a working day, or a working day at a weekend.';
comment on column dba.calendarday.calendar is 'The calendar.';
comment on column dba.calendarday.day is 'The day, in the zone of the schedule that asks.';
comment on column dba.calendarday.kind is 'holiday (default) or workday.';
comment on column dba.calendarday.note is 'Its name, as people say it: Christmas Day.';
comment on constraint kind_is_holiday_or_workday on dba.calendarday is 'Write holiday for a free day, workday for a weekend day that is worked.';
comment on constraint calendarday_calendar_fkey on dba.calendarday is 'Insert the calendar into dba.calendar first.';

create function dba.is_workday(calendar text, day date default current_date)
returns boolean
language sql
stable
as $$
  select coalesce(
    (select d.kind = 'workday' from dba.calendarday d where d.calendar = is_workday.calendar and d.day = is_workday.day),
    (select not extract(dow from is_workday.day)::integer = any (c.weekend) from dba.calendar c where c.calendar = is_workday.calendar))
$$;
comment on function dba.is_workday(text, date) is 'Is that day worked in that calendar? select dba.is_workday(''weekdays'', ''2026-12-25''). Null: no such calendar.';

create function dba.workday_add(calendar text, day date default current_date, days integer default 1)
returns date
language plpgsql
stable
as $$
declare
  step constant integer := case when days < 0 then -1 else 1 end;
  left_over integer := greatest(abs(days), 1);
  candidate date := day;
begin
  if days = 0 then
    return day;
  end if;
  if not exists (select from dba.calendar c where c.calendar = workday_add.calendar) then
    perform dba.refuse(format('no calendar "%s"', calendar),
      dba.known_names_hint(calendar, array(select c.calendar from dba.calendar c)));
  end if;
  for looked in 1 .. 4000 loop
    candidate := candidate + step;
    if dba.is_workday(calendar, candidate) then
      left_over := left_over - 1;
      exit when left_over = 0;
    end if;
  end loop;
  if left_over > 0 then
    perform dba.refuse(format('calendar "%s" has too few working days around %s', calendar, day), 'Look at its days in dba.calendarday.');
  end if;
  return candidate;
end
$$;
comment on function dba.workday_add(text, date, integer) is 'The day that lies so many working days later (earlier when negative): select dba.workday_add(''weekdays'', current_date, -1).';

insert into dba.calendar (calendar, weekend, description) values ('weekdays', '{0,6}', 'Monday to Friday, no holidays. Ships with Rota.');

create table dba.lane (
  lane          text         primary key,
  paused_until  timestamptz,
  pause_reason  text,
  description   text,
  paused_by     text,
  created_at    timestamptz  not null default clock_timestamp(),
  created_by    text         not null default session_user,
  updated_at    timestamptz  not null default clock_timestamp(),
  updated_by    text         not null default session_user,
  version       integer      not null default 1,
  constraint lane_is_a_plain_name check (lane ~ '^[a-z][a-z0-9_]{0,39}$')
);
comment on table dba.lane is 'Streams of work. A schedule names one; workers take part in the lanes of their ROTA_LANES. Pause one with paused_until: starts are then held as waiting.';
comment on column dba.lane.lane is 'Its name: lower case letters, digits, underscores.';
comment on column dba.lane.paused_until is 'Until then nothing starts in this lane; infinity: until a person clears it.';
comment on column dba.lane.pause_reason is 'Why, for those who look at night.';
comment on column dba.lane.description is 'Which machines or network zone it reaches.';
comment on column dba.lane.paused_by is 'Who paused it. Kept by Rota.';
comment on constraint lane_is_a_plain_name on dba.lane is 'Write lower case letters, digits and underscores, beginning with a letter, at most 40: plant_a.';
insert into dba.lane (lane, description) values ('default', 'Every worker takes part in it unless ROTA_LANES says otherwise.');

create table dba.job (
  job             text     primary key,
  description     text     not null,
  config_table    text,
  args_allowed    text[]   not null default '{}',
  max_running     integer,
  holds_for_data  boolean  not null default false,
  constraint at_least_one_run_of_a_job_may_go_on check (max_running >= 1)
);
comment on table dba.job is 'The kinds of work there are, one row each; compared with the folder jobs/ when a worker starts.';
comment on column dba.job.job is 'Its name: that of the file in jobs/, of its settings table and of the word in dba.scheduler.job.';
comment on column dba.job.description is 'What it does.';
comment on column dba.job.config_table is 'Its settings table in schema dba; null: it has none and everything stands in args.';
comment on column dba.job.args_allowed is 'Keys that dba.scheduler.args may hold besides the columns of the settings table.';
comment on column dba.job.max_running is 'At most so many runs of it at once, over all workers. Null: as many as the workers carry. People may set it.';
comment on column dba.job.holds_for_data is 'True: before a run starts dba.hold_of_<job>(run_id) says in words what data it has to wait for; null: for none.';
comment on constraint at_least_one_run_of_a_job_may_go_on on dba.job is 'Write 1 or more; null for no limit. To stop a job, pause its lane or its schedules.';

create table dba.jobconfig (
  job          text     not null references dba.job (job) on update cascade on delete cascade,
  config_name  text     not null,
  is_active    boolean  not null default true,
  version      integer  not null default 1,
  primary key (job, config_name)
);
comment on table dba.jobconfig is 'Registry of the rows of all settings tables, kept by their triggers, so that a schedule can refer to any of them.';
comment on column dba.jobconfig.job is 'The job.';
comment on column dba.jobconfig.config_name is 'The row of its settings table.';
comment on column dba.jobconfig.is_active is 'As the config says; fires of a config that is switched off are skipped.';
comment on column dba.jobconfig.version is 'Version of the config, counted up by every change.';
comment on constraint jobconfig_job_fkey on dba.jobconfig is 'The job must stand in dba.job.';

create table dba.secret (
  secret_name  text         primary key,
  sealed       bytea        not null,
  expires_at   timestamptz,
  updated_at   timestamptz  not null default clock_timestamp(),
  updated_by   text         not null default session_user,
  constraint secret_name_is_a_plain_name check (secret_name ~ '^[a-z][a-z0-9_.-]{0,62}$')
);
comment on table dba.secret is 'Encrypted secrets: written by rota secret set, named in dba.connection.secret_name, unreadable in SQL.';
comment on column dba.secret.secret_name is 'Its name.';
comment on column dba.secret.sealed is 'AES-256-GCM: version byte, salt, nonce, tag, text. The key never stands in the database.';
comment on column dba.secret.expires_at is 'When it stops being of use: somebody is told before (dba.setting.secret_warning). Set with: rota secret set <name> --expires 2027-01-31.';
comment on column dba.secret.updated_at is 'When it was last set.';
comment on column dba.secret.updated_by is 'Who set it.';
comment on constraint secret_name_is_a_plain_name on dba.secret is 'Write lower case letters, digits, dots, dashes and underscores: smtp_main.';

create table dba.connection (
  connection_name  text         primary key,
  kind             text         not null,
  lane             text         not null default 'default' references dba.lane (lane) on update cascade on delete restrict,
  host             text,
  port             integer,
  database_name    text,
  user_name        text,
  secret_name      text,
  tls              text         not null default 'verify',
  options          jsonb        not null default '{}',
  environment      text         not null default 'prod',
  is_read_only     boolean      not null default false,
  description      text,
  owner            text,
  checked_at       timestamptz,
  check_state      text         not null default 'unchecked',
  check_message    text,
  tried_until      timestamptz,
  created_at       timestamptz  not null default clock_timestamp(),
  created_by       text         not null default session_user,
  updated_at       timestamptz  not null default clock_timestamp(),
  updated_by       text         not null default session_user,
  version          integer      not null default 1,
  constraint connection_kind_is_known check (kind in ('postgres', 'sqlserver', 'sftp', 'smtp', 'imap', 'gmail', 'opcua', 'http', 'folder', 'webhook')),
  constraint port_is_between_1_and_65535 check (port between 1 and 65535),
  constraint tls_is_verify_require_or_off check (tls in ('verify', 'require', 'off')),
  constraint environment_is_prod_uat_or_dev check (environment in ('prod', 'uat', 'dev')),
  constraint options_is_an_object check (jsonb_typeof(options) = 'object'),
  constraint secret_is_a_name_or_env_or_file check (secret_name ~ '^([a-z][a-z0-9_.-]{0,62}|env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$'),
  constraint a_connection_by_network_names_its_host check (kind in ('folder', 'gmail', 'webhook') or host is not null)
);
comment on table dba.connection is 'Where the outside world is. No secret stands in a row: secret_name says where it is kept.';
comment on column dba.connection.connection_name is 'Its name, as jobs and configs use it.';
comment on column dba.connection.kind is 'postgres, sqlserver, sftp, smtp, imap, gmail, opcua, http, folder or webhook.';
comment on column dba.connection.lane is 'Lane whose workers can reach it.';
comment on column dba.connection.host is 'Host name or address; for kinds folder and webhook null.';
comment on column dba.connection.port is 'Port; null: the usual one of the kind.';
comment on column dba.connection.database_name is 'Database; for kind folder the folder''s path.';
comment on column dba.connection.user_name is 'User to log in as.';
comment on column dba.connection.secret_name is 'Where the password is, for kind webhook the whole address: a name set with rota secret set, or env:NAME, or file:/run/secrets/name.';
comment on column dba.connection.tls is 'verify (default: certificate checked), require (encrypted, not checked), off.';
comment on column dba.connection.options is 'Further options of the kind, a JSON object.';
comment on column dba.connection.environment is 'prod, uat or dev: jobs that overwrite data look at it.';
comment on column dba.connection.is_read_only is 'True: nothing is ever written through it.';
comment on column dba.connection.description is 'What is behind it.';
comment on column dba.connection.owner is 'Who answers for it.';
comment on column dba.connection.checked_at is 'When a worker last tried it. Kept by Rota.';
comment on column dba.connection.check_state is 'ok, failed, unchecked or asked. Kept by Rota; ask with select dba.check_connection(''name'').';
comment on column dba.connection.check_message is 'What the worker found. Kept by Rota.';
comment on column dba.connection.tried_until is 'A worker has it in hand until then at most. Kept by Rota.';
comment on constraint connection_kind_is_known on dba.connection is 'Write one of: postgres, sqlserver, sftp, smtp, imap, gmail, opcua, http, folder, webhook.';
comment on constraint port_is_between_1_and_65535 on dba.connection is 'Write a TCP port, or leave it empty for the usual one.';
comment on constraint tls_is_verify_require_or_off on dba.connection is 'Write verify (certificate checked), require (encrypted only) or off.';
comment on constraint environment_is_prod_uat_or_dev on dba.connection is 'Write prod, uat or dev.';
comment on constraint options_is_an_object on dba.connection is 'Write a JSON object: {"connect_timeout": 5}.';
comment on constraint secret_is_a_name_or_env_or_file on dba.connection is 'A password itself may not stand here. Set it with: rota secret set <name>, and write that name; or env:NAME; or file:/run/secrets/name.';
comment on constraint a_connection_by_network_names_its_host on dba.connection is 'Fill dba.connection.host.';
comment on constraint connection_lane_fkey on dba.connection is 'Insert the lane into dba.lane first.';

-- A migration of a job calls this once for its settings table; everything a settings table needs of the house hangs on it.
-- (Its body stands in 08_config_tables.sql.)
