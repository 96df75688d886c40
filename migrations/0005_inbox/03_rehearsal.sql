-- Rehearsals: what the rules would do with the mails of the last days, touching nothing.

create table dba.rehearsal (
  rehearsal_id  bigint       primary key generated always as identity,
  run_id        uuid,
  config_name   text         not null,
  days          integer      not null default 30,
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
comment on column dba.rehearsal.matched is 'Mails that this rule would take.';
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

create function dba.request_rehearsal(config text, days integer default 30)
returns bigint
language plpgsql
as $$
begin
  perform dba.require_operator('ask for rehearsals');
  return dba.write_rehearsal(config, days);
end
$$;
comment on function dba.request_rehearsal(text, integer) is 'What the rules of a mailbox would do with the mails of the last days, touching nothing: select dba.request_rehearsal(''price mails'', 30) returns the rehearsal_id; in a moment select * from dba.rehearsal and dba.rehearsalmail where rehearsal_id = ….';

-- Rests on the right to execute it, given to rota_operator below.
create function dba.write_rehearsal(config text, days integer)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  new_run constant uuid := gen_random_uuid();
  new_id bigint;
begin
  if not exists (select from dba.inboxconfig c where c.config_name = config) then
    perform dba.refuse(format('no config "%s" in dba.inboxconfig', coalesce(config, '')), dba.known_names_hint(config, array(select c.config_name from dba.inboxconfig c)), null, '23503');
  end if;
  if days is null or days not between 1 and 3650 then
    perform dba.refuse(format('a rehearsal cannot go back %s days', coalesce(days::text, 'null')), 'Write 1 to 3650, for example 30.');
  end if;
  insert into dba.rehearsal (run_id, config_name, days) values (new_run, config, write_rehearsal.days) returning rehearsal_id into new_id;
  perform dba.write_request_run('inbox', config, jsonb_build_object('rehearsal_id', new_id, 'rehearsal_days', write_rehearsal.days), 'rehearsal', new_run);
  return new_id;
end
$$;
comment on function dba.write_rehearsal(text, integer) is 'Writes the run of a rehearsal. People call dba.request_rehearsal.';

-- A run that ends without an answer is one.
create function dba.rehearsal_ended()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.rehearsal r
  set state = 'failed', finished_at = clock_timestamp(),
      message = coalesce(nullif(concat_ws('. ', rtrim(new.error_message, '.'), rtrim(new.error_detail, '.'), new.error_hint), ''), new.reason, format('the run was %s', new.state))
  where r.rehearsal_id = (new.args ->> 'rehearsal_id')::bigint and r.state in ('requested', 'running');
  return null;
end
$$;
comment on function dba.rehearsal_ended() is 'AFTER trigger of dba.run: a rehearsal that could not be carried out says why.';
create trigger rehearsal_ended after update on dba.run for each row
  when (new.state <> old.state and new.state in ('failed', 'cancelled', 'skipped', 'missed') and new.args ? 'rehearsal_id') execute function dba.rehearsal_ended();

-- The schedule that carries requests goes with its rule, and takes its name along.
create function dba.inbox_requests_follow()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    delete from dba.scheduler where job = 'inbox' and config_name = old.config_name and generated_by = 'requests for dba.inboxconfig';
    return old;
  end if;
  update dba.scheduler set schedule_name = left(new.config_name, 180) || ' (on request)'
  where job = 'inbox' and config_name = new.config_name and generated_by = 'requests for dba.inboxconfig';
  update dba.rehearsal set config_name = new.config_name where config_name = old.config_name;
  update dba.rehearsalmail set config_name = new.config_name where config_name = old.config_name;
  return null;
end
$$;
comment on function dba.inbox_requests_follow() is 'Trigger of dba.inboxconfig: the schedule of its rehearsals is renamed and deleted with it.';
create trigger forget_request_schedule before delete on dba.inboxconfig for each row execute function dba.inbox_requests_follow();
create trigger rename_request_schedule after update of config_name on dba.inboxconfig for each row
  when (new.config_name <> old.config_name) execute function dba.inbox_requests_follow();

grant select on dba.rehearsal, dba.rehearsalmail to rota_reader;
grant select, insert, update, delete on dba.rehearsal, dba.rehearsalmail to rota_worker;
revoke execute on function dba.write_rehearsal(text, integer) from rota_reader;
grant execute on function dba.write_rehearsal(text, integer) to rota_operator;

select dba.pin_search_path();
