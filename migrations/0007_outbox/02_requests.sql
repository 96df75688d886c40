-- What people may do with outgoing mail, and what is told them.

create function dba.outbox_rules()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  wrong text;
  chosen text[];
begin
  if new.state is not distinct from old.state then
    if new.resend_to is distinct from old.resend_to then
      perform dba.refuse('resend_to says who gets a mail that is sent again', 'Set it together with state = ''resend''.');
    end if;
    return new;
  end if;
  if new.state is null or new.state not in ('resend', 'cancelled') then
    perform dba.refuse(format('a mail cannot be set to "%s" by hand', coalesce(new.state, 'null')),
      'Set state to resend (the same bytes go out again) or cancelled (it does not go out, or the matter is closed).', null, '42501');
  end if;
  if old.state = 'sending' or old.claimed_until > clock_timestamp() then
    perform dba.refuse(format('mail %s is being sent at this moment', old.outbox_id), 'Look again in half a minute: by then it is sent, or it is known what became of it.', null, '55P03');
  end if;
  if new.state = 'cancelled' then
    if old.state = 'sent' then
      perform dba.refuse(format('mail %s has been sent', old.outbox_id), 'It cannot be called back.');
    end if;
    update dba.outboxrecipient set state = 'cancelled', at = clock_timestamp() where outbox_id = old.outbox_id and state = 'waiting';
    new.next_try_at := null;
    new.reason := format('cancelled by %s', session_user);
    return new;
  end if;

  if not exists (select from dba.outboxcontent c where c.outbox_id = old.outbox_id) then
    perform dba.refuse(format('the bytes of mail %s are no longer kept', old.outbox_id), 'They go after dba.setting.retention_outboxcontent. Have the report made anew: select dba.run_now(''…'').');
  end if;
  select a into wrong from unnest(new.resend_to) a where coalesce(a !~ '^[!-;=?-~]+@[a-zA-Z0-9.-]+$' or a ~ '[<>,;:"]', true) limit 1;
  if wrong is not null then
    perform dba.refuse(format('resend_to: "%s" is no mail address', wrong), 'Write bare addresses: ''{ann@example.com,bob@example.org}''.');
  elsif cardinality(new.resend_to) = 0 then
    perform dba.refuse('resend_to names nobody', 'Write addresses, or null for those who did not get it.');
  end if;
  chosen := coalesce(
    array(select distinct split_part(a, '@', 1) || '@' || lower(split_part(a, '@', 2)) from unnest(new.resend_to) a),
    array[]::text[]);
  if new.resend_to is null then
    chosen := array(select r.address from dba.outboxrecipient r where r.outbox_id = old.outbox_id and r.state <> 'sent');
  end if;
  if cardinality(chosen) = 0 then
    perform dba.refuse(format('everybody got mail %s', old.outbox_id), 'To send it to them once more, name them: set state = ''resend'', resend_to = ''{…}''.');
  end if;
  update dba.outboxrecipient set state = 'cancelled', at = clock_timestamp() where outbox_id = old.outbox_id and state = 'waiting' and address <> all (chosen);
  insert into dba.outboxrecipient as r (outbox_id, address, kind, position)
  select old.outbox_id, a, 'also', 1000000 + n from unnest(chosen) with ordinality as c (a, n)
  on conflict (outbox_id, address) do update set state = 'waiting', code = null, text = null, at = clock_timestamp();
  if old.sending_at is not null then
    new.round := old.round + 1;
  end if;
  new.attempts := 0;
  new.asked_at := clock_timestamp();
  new.next_try_at := clock_timestamp();
  new.claim := null;
  new.claimed_by := null;
  new.claimed_until := null;
  new.reason := format('asked for by %s', session_user);
  new.error_code := null;
  new.error_message := null;
  new.error_detail := null;
  new.error_hint := null;
  return new;
end
$$;
comment on function dba.outbox_rules() is 'BEFORE trigger of dba.outbox for people: they set resend and cancelled.';
select dba.adopt_ledger_table('outbox', '{state,resend_to}', 'Set state to resend, with resend_to where others than those who did not get it are meant, or to cancelled.', 'outbox');
revoke insert, delete on dba.outbox from rota_dba;
grant update on dba.outbox to rota_operator;

create function dba.record_bounce(mail text, address text, words text default null)
returns boolean
language plpgsql
as $$
begin
  if not dba.is_system() then
    perform dba.require_operator('record bounces');
  end if;
  return dba.write_bounce(mail, address, words);
end
$$;
comment on function dba.record_bounce(text, text, text) is 'A mail came back: select dba.record_bounce(''17'', ''ann@example.com'', ''550 no such user''). The first argument is the outbox_id or the Message-ID. False: no such mail went to that address.';

-- Rests on the right to execute it, given to rota_operator below.
create function dba.write_bounce(mail text, address text, words text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.outboxrecipient r
  set state = 'bounced', text = left(words, 1000), code = substring(words from '\m([245]\d\d|[245][.]\d{1,3}[.]\d{1,3})\M'), at = clock_timestamp()
  from dba.outbox o
  where o.outbox_id = r.outbox_id and lower(r.address) = lower(btrim(write_bounce.address, ' <>'))
    and (o.outbox_id::text = btrim(mail) or o.message_id = '<' || btrim(mail, ' <>') || '>') and r.state in ('sent', 'unknown', 'bounced');
  return found;
end
$$;
comment on function dba.write_bounce(text, text, text) is 'Writes down a bounce. People call dba.record_bounce.';
revoke execute on function dba.write_bounce(text, text, text) from rota_reader;
grant execute on function dba.write_bounce(text, text, text) to rota_operator;

create or replace function dba.outbox_problem()
returns table (severity text, subject text, since timestamptz, message text, fix text)
language sql
stable
as $$
  select 'severe', g.about, g.since,
    case g.count when 1 then format('mail %s "%s" may or may not have arrived: ', g.latest, g.subject) else format('%s mails may or may not have arrived, the latest %s "%s": ', g.count, g.latest, g.subject) end
      || coalesce(g.error_message, 'its worker died while it was sent'),
    format('If it did not arrive: update dba.outbox set state = ''resend'' where outbox_id = %s; if it did: set state = ''cancelled''', g.latest)
  from (
    select coalesce(o.config_name, o.schedule_name, o.kind) as about, min(o.sending_at) as since, count(*) as count, max(o.outbox_id) as latest,
      (array_agg(o.subject order by o.outbox_id desc))[1] as subject, (array_agg(o.error_message order by o.outbox_id desc))[1] as error_message
    from dba.outbox o where o.state = 'unknown' group by 1
  ) g

  union all
  select 'severe', g.about, g.since,
    case g.count when 1 then format('mail %s "%s" was refused: ', g.latest, g.subject) else format('%s mails were refused, the latest %s "%s": ', g.count, g.latest, g.subject) end
      || coalesce(g.error_message, 'no recipient could be reached'),
    format('Correct what it says, then update dba.outbox set state = ''resend'' where outbox_id = %s; or state = ''cancelled''. select * from dba.mail_sent where state = ''refused'';', g.latest)
  from (
    select coalesce(o.config_name, o.schedule_name, o.kind) as about, min(o.created_at) as since, count(*) as count, max(o.outbox_id) as latest,
      (array_agg(o.subject order by o.outbox_id desc))[1] as subject, (array_agg(o.error_message order by o.outbox_id desc))[1] as error_message
    from dba.outbox o where o.state = 'refused' group by 1
  ) g

  union all
  select 'warning', coalesce(o.config_name, o.schedule_name, o.kind), min(r.at),
    format('mail does not reach %s: %s', r.address, (array_agg(coalesce(r.text, r.state) order by r.at desc))[1]),
    'Take the address out of the report, or correct it.'
  from dba.outboxrecipient r
  join dba.outbox o using (outbox_id)
  where r.state in ('refused', 'bounced') and o.state <> 'refused' and o.created_at > statement_timestamp() - interval '7 days' and r.at > statement_timestamp() - interval '7 days'
  group by coalesce(o.config_name, o.schedule_name, o.kind), r.address

  union all
  select 'warning', coalesce(o.connection_name, 'folder outbox'), min(o.asked_at),
    format('%s to go out: %s', case count(*) when 1 then 'a mail waits' else format('%s mails wait', count(*)) end, (array_agg(o.error_message order by o.outbox_id desc))[1]),
    coalesce((array_agg(o.error_hint order by o.outbox_id desc))[1], 'It is tried again by itself.')
  from dba.outbox o
  where o.state in ('rendered', 'resend') and o.next_try_at is not null and o.error_message is not null
  group by coalesce(o.connection_name, 'folder outbox')
$$;
