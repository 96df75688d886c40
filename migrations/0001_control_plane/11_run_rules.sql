-- What people may write into the ledger: ask for a run, take a fire out, put it back, cancel. Everything else is the system's.

create function dba.fill_request(new_run dba.run)
returns dba.run
language plpgsql
as $$
declare
  schedule dba.scheduler;
  blank dba.run;
  own_args jsonb;
  is_skip constant boolean := new_run.state = 'skipped';
  is_dba constant boolean := pg_has_role(current_user, 'rota_dba', 'member');
begin
  if new_run.rerun_of is not null and new_run.schedule_name is null and new_run.schedule_id is null then
    new_run.schedule_id := dba.schedule_to_repeat(new_run.rerun_of);
  end if;
  select * into schedule from dba.scheduler s
  where s.schedule_name = new_run.schedule_name or new_run.schedule_name is null and s.schedule_id = new_run.schedule_id;
  if not found and num_nonnulls(new_run.schedule_name, new_run.schedule_id) = 0 then
    perform dba.refuse('a run is asked for by the name of its schedule', 'Write insert into dba.run (schedule_name) values (''…''); ' || dba.known_names_hint('', array(select schedule_name from dba.scheduler)));
  elsif not found then
    perform dba.refuse(format('no schedule "%s"', coalesce(new_run.schedule_name, new_run.schedule_id::text)),
      dba.known_names_hint(coalesce(new_run.schedule_name, ''), array(select schedule_name from dba.scheduler)), null, '23503');
  end if;
  if coalesce(new_run.state, '') not in ('planned', 'skipped') then
    perform dba.refuse(format('a run cannot be inserted as "%s"', new_run.state), 'Leave state out to ask for a run; write skipped with a future scheduled_for to take a fire out.', null, '42501');
  end if;
  if jsonb_typeof(new_run.args) is distinct from 'object' then
    perform dba.refuse('args of a run must be a JSON object', 'Write for example {"header_row": 3}, or leave args out.');
  end if;
  own_args := dba.args_to_repeat(new_run.rerun_of, schedule.schedule_id);
  if new_run.args <> '{}' and new_run.args <> own_args and new_run.args <> schedule.args and not is_dba then
    perform dba.refuse('an operator may not set args', 'Leave args out, or ask someone with role rota_dba.', null, '42501');
  end if;
  perform dba.check_args(schedule.job, schedule.config_name, new_run.args - '{file,payload,as_of}'::text[], schedule.args);

  -- Only what a person may say is taken over, since a duplicated row brings along all that the system wrote.
  blank.run_id := case when exists (select from dba.run r where r.run_id = new_run.run_id) then gen_random_uuid() else new_run.run_id end;
  blank.schedule_id := schedule.schedule_id;
  blank.schedule_name := schedule.schedule_name;
  blank.job := schedule.job;
  blank.config_name := schedule.config_name;
  blank.args := own_args || new_run.args;
  blank.trigger := case when new_run.trigger = 'api' then 'api' else 'request' end;
  blank.scheduled_for := coalesce(new_run.scheduled_for, clock_timestamp());
  blank.due_at := blank.scheduled_for;
  blank.local_time := dba.local_time_text(blank.scheduled_for, schedule.time_zone);
  blank.fire_key := gen_random_uuid()::text;
  blank.state := new_run.state;
  blank.attempt := 0;
  blank.cancel_requested := false;
  blank.requested_by := session_user;
  blank.requested_reason := new_run.requested_reason;
  blank.rerun_of := new_run.rerun_of;
  blank.priority := new_run.priority;
  if is_skip then
    if blank.scheduled_for <= clock_timestamp() then
      perform dba.refuse(format('%s is not in the future', blank.local_time), 'A fire that lies in the past has its row already; to stop a run that is going on, set cancel_requested.');
    end if;
    if schedule.cron is null or dba.cron_next(schedule.cron, schedule.time_zone, blank.scheduled_for - interval '1 microsecond', schedule.dst_gap, schedule.dst_fold) is distinct from blank.scheduled_for then
      perform dba.refuse(format('schedule "%s" does not fire at %s', schedule.schedule_name, blank.local_time),
        coalesce('It fires next at ' || array_to_string(schedule.next_fires[1:3], ', ') || '.', 'It has no cron; only fires of a cron can be taken out.'));
    end if;
    blank.trigger := 'cron';
    blank.fire_key := dba.fire_key(blank.scheduled_for);
    blank.reason := format('skipped by %s%s', session_user, coalesce(': ' || coalesce(new_run.requested_reason, new_run.reason), ''));
  end if;
  return blank;
end
$$;
comment on function dba.fill_request(dba.run) is 'Completes the row that a person inserts into dba.run from its schedule, and refuses what people may not say.';

create function dba.run_rules()
returns trigger
language plpgsql
as $$
declare
  changed text[];
begin
  if tg_op = 'INSERT' then
    new := dba.fill_request(new);
    return new;
  end if;
  if tg_op = 'DELETE' then
    perform dba.refuse('runs are not deleted by hand', 'To take a fire out: update dba.run set state = ''skipped''. To stop a run: set cancel_requested. Old runs leave by dba.setting.retention_run.', null, '42501');
  end if;

  select array_agg(key order by key) into changed
  from jsonb_each(to_jsonb(new)) n
  where to_jsonb(old) -> n.key is distinct from n.value;
  if changed is null then
    return new;
  end if;
  if not changed <@ '{state,reason,cancel_requested,requested_reason,requested_by}' then
    perform dba.refuse(
      format('column "%s" of dba.run is kept by Rota', (select c from unnest(changed) c where c not in ('state', 'reason', 'cancel_requested', 'requested_reason', 'requested_by') limit 1)),
      'People may set cancel_requested, turn planned into skipped, and a future skipped back into planned. For anything else insert a new run.', null, '42501');
  end if;
  new.requested_by := session_user;

  if new.cancel_requested and not old.cancel_requested then
    if old.state in ('succeeded', 'failed', 'cancelled', 'skipped', 'missed') then
      perform dba.refuse(format('run %s has already ended: %s', old.run_id, old.state), 'Only a run that is planned, waiting, queued or running can be cancelled.');
    end if;
    if new.state <> old.state then
      perform dba.refuse('cancel_requested and state are not changed together', 'Set cancel_requested only; Rota sets the state.');
    end if;
    -- What has not begun ends here and now; a running attempt is told and ends itself.
    if old.state <> 'running' then
      new.state := 'cancelled';
      new.finished_at := clock_timestamp();
      new.reason := format('cancelled by %s%s', session_user, coalesce(': ' || new.requested_reason, ''));
    end if;
    return new;
  end if;
  if old.cancel_requested and not new.cancel_requested then
    perform dba.refuse('a cancel cannot be taken back', format('Ask for a new run: select dba.rerun(%L).', old.run_id));
  end if;

  if new.state is distinct from old.state then
    if old.state = 'planned' and new.state = 'skipped' then
      new.reason := format('skipped by %s%s', session_user, coalesce(': ' || coalesce(nullif(new.requested_reason, old.requested_reason), nullif(new.reason, old.reason)), ''));
    elsif old.state = 'skipped' and new.state = 'planned' and old.due_at > clock_timestamp() then
      new.reason := format('planned again by %s', session_user);
    elsif old.state = 'skipped' and new.state = 'planned' then
      perform dba.refuse(format('fire %s lies in the past', old.local_time), format('To run it now: select dba.rerun(%L).', old.run_id));
    else
      perform dba.refuse(format('a run cannot be turned from %s into %s by hand', old.state, new.state),
        'People may turn planned into skipped, and a future skipped back into planned. To stop a run set cancel_requested; to run one again: select dba.rerun(run_id).', null, '42501');
    end if;
  elsif new.reason is distinct from old.reason then
    perform dba.refuse('reason is kept by Rota', 'Say yours in requested_reason.', null, '42501');
  end if;
  return new;
end
$$;
comment on function dba.run_rules() is 'BEFORE trigger of dba.run for everybody but the system.';
create trigger m_run_rules before insert or update or delete on dba.run for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.run_rules();

create function dba.take_fire()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The planner may have written this fire already; the person's word replaces it.
  delete from dba.run where schedule_id = new.schedule_id and fire_key = new.fire_key and state = 'planned';
  return new;
end
$$;
comment on function dba.take_fire() is 'BEFORE trigger of dba.run: a fire that a person takes out replaces the planned one.';
create trigger n_take_fire before insert on dba.run for each row
  when (new.state = 'skipped' and current_user not in ('rota_worker', 'rota_owner')) execute function dba.take_fire();

create trigger z_say_why before insert or update on dba.run for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.say_why();
create trigger tell_workers after insert or update on dba.run for each statement
  when (current_user <> 'rota_worker') execute function dba.tell_workers('run');
-- A fire that a person took out or put back changes what the schedule fires next.
create trigger tell_planner after insert or update of state, cancel_requested on dba.run for each row
  when (new.trigger = 'cron' and current_user <> 'rota_worker') execute function dba.tell_workers('fires');
