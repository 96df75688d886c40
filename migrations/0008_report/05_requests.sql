-- Previews and tests, asked for in SQL.

create function dba.request_preview(config text, to_addresses text[] default null)
returns uuid
language plpgsql
as $$
begin
  perform dba.require_operator('ask for previews');
  return dba.write_report_request(config, to_addresses);
end
$$;
comment on function dba.request_preview(text, text[]) is 'Renders a report and sends it to nobody: select dba.request_preview(''open orders'') returns the run; the answer is a row of dba.outbox with that run_id. With addresses those get it, marked as a test: select dba.request_preview(''open orders'', ''{me@example.com}'').';

-- Rests on the right to execute it, given to rota_operator below.
create function dba.write_report_request(config text, to_addresses text[])
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  new_run constant uuid := gen_random_uuid();
  domains text[];
  of_schedule bigint;
  outside text;
begin
  select c.allowed_domains into domains from dba.reportconfig c where c.config_name = config;
  if not found then
    perform dba.refuse(format('no config "%s" in dba.reportconfig', coalesce(config, '')), dba.known_names_hint(config, array(select c.config_name from dba.reportconfig c)), null, '23503');
  end if;
  if to_addresses is not null and (to_addresses = '{}' or not dba.are_mail_addresses(to_addresses)) then
    perform dba.refuse(format('%s are no mail addresses', dba.name_list(to_addresses)), 'Write ''{me@example.com}'', or leave it out to send nothing.');
  end if;
  -- Who may ask for runs may not send data to whom he likes.
  select a into outside from unnest(to_addresses) a
  where not pg_has_role(session_user, 'rota_dba', 'member')
    and coalesce(lower(substring(a from '@([^@> ]+)>?\s*$')) <> all (domains), true)
    and not exists (select from dba.reportconfig c where c.config_name = config and a = any (c.to_addresses || c.cc || c.bcc))
    and not exists (select from dba.reportrecipient r where r.config_name = config and r.address = a)
  limit 1;
  if found then
    perform dba.refuse(format('an operator may not have the report sent to "%s"', outside), 'Name one of its recipients or allowed_domains, or ask someone with role rota_dba.', null, '42501');
  end if;
  of_schedule := dba.request_schedule('report', config);
  if of_schedule is null then
    perform dba.refuse(format('config "%s" is being renamed', config), 'Ask again when that transaction has ended.', null, '55P03');
  end if;
  insert into dba.run (run_id, schedule_id, schedule_name, job, config_name, trigger, fire_key, scheduled_for, due_at, local_time, args, requested_by, requested_reason)
  select new_run, s.schedule_id, s.schedule_name, s.job, s.config_name, 'request', new_run::text, clock_timestamp(), clock_timestamp(),
    dba.local_time_text(date_trunc('second', clock_timestamp()), s.time_zone),
    case when to_addresses is null then jsonb_build_object('preview', true) else jsonb_build_object('test_to', to_addresses) end,
    session_user, case when to_addresses is null then 'preview' else 'test mail' end
  from dba.scheduler s
  where s.schedule_id = of_schedule;
  return new_run;
end
$$;
comment on function dba.write_report_request(text, text[]) is 'Writes the run of a preview. People call dba.request_preview.';

revoke execute on function dba.write_report_request(text, text[]) from rota_reader;
grant execute on function dba.write_report_request(text, text[]) to rota_operator;

select dba.pin_search_path();
