-- Ways out for mail: what the options of a connection may be.

create function dba.check_mail_options(kind text, options jsonb)
returns void
language plpgsql
stable
as $$
declare
  known constant jsonb := case kind
    when 'smtp' then '{"auth": "password|oauth", "tenant": "text", "token_url": "url", "client_id": "text", "scope": "text", "ca": "text", "implicit_tls": "flag", "helo_name": "host", "connections": "count", "mails_per_connection": "count", "per_second": "count", "per_minute": "count", "timeout_seconds": "count", "when_unknown": "hold|resend|assume_sent", "dkim_domain": "host", "dkim_selector": "host", "dkim_key": "text"}'::jsonb
    when 'gmail' then '{"root_url": "url", "per_second": "count", "per_minute": "count", "when_unknown": "hold|resend|assume_sent"}'::jsonb
  end;
  key text;
  value jsonb;
  form text;
  written text;
begin
  for key, value in select * from jsonb_each(options) loop
    form := known ->> key;
    written := options ->> key;
    if form is null then
      perform dba.refuse(format('a connection of kind %s has no option "%s"', kind, key), dba.known_names_hint(key, array(select jsonb_object_keys(known))));
    end if;
    case
      when form = 'flag' then
        if jsonb_typeof(value) <> 'boolean' then
          perform dba.refuse(format('option "%s" is %s', key, value), 'Write true or false, without quotes.');
        end if;
      when form = 'count' then
        if jsonb_typeof(value) <> 'number' or (written)::numeric not between 1 and 100000 or (written)::numeric % 1 <> 0 then
          perform dba.refuse(format('option "%s" is %s', key, value), 'Write a whole number from 1, without quotes.');
        end if;
      when form = 'url' then
        if written !~ '^https?://[^[:space:]]+$' then
          perform dba.refuse(format('option "%s" is %s, which is no address', key, value), 'Write an address that begins with https://.');
        end if;
      when form = 'host' then
        if jsonb_typeof(value) <> 'string' or written !~ '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$' then
          perform dba.refuse(format('option "%s" is %s', key, value), 'Write a name of letters, digits, dots and dashes: mail.example.com.');
        end if;
      when form = 'text' then
        if jsonb_typeof(value) <> 'string' or btrim(written) = '' then
          perform dba.refuse(format('option "%s" is %s', key, value), 'Write a text.');
        end if;
      else
        if jsonb_typeof(value) <> 'string' or written <> all (string_to_array(form, '|')) then
          perform dba.refuse(format('option "%s" is %s', key, value), format('Write one of: %s.', replace(form, '|', ', ')));
        end if;
    end case;
  end loop;
  if kind = 'smtp' then
    if num_nonnulls(options ->> 'dkim_domain', options ->> 'dkim_selector', options ->> 'dkim_key') not in (0, 3) then
      perform dba.refuse('DKIM needs three options', 'Write dkim_domain, dkim_selector and dkim_key: the name of the secret that holds the private key in PEM.');
    end if;
    if options ->> 'dkim_key' !~ '^([a-z][a-z0-9_.-]{0,62}|env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$' then
      perform dba.refuse('the key itself may not stand in dkim_key', 'Set it with: rota secret set <name>, and write that name; or env:NAME; or file:/run/secrets/name.');
    end if;
    if options ->> 'auth' = 'oauth' and num_nonnulls(options ->> 'tenant', options ->> 'token_url') <> 1 then
      perform dba.refuse('OAuth needs to know where tokens are', 'Write the option tenant (Microsoft 365) or token_url.');
    end if;
  end if;
end
$$;
comment on function dba.check_mail_options(text, jsonb) is 'Refuses options that a connection of kind smtp or gmail does not know, in words.';

create function dba.mail_connection_rules()
returns trigger
language plpgsql
as $$
begin
  if new.kind in ('smtp', 'gmail') and jsonb_typeof(new.options) = 'object' then
    perform dba.check_mail_options(new.kind, new.options);
  elsif new.kind = 'folder' and coalesce(new.options ->> 'when_unknown', 'hold') not in ('hold', 'resend', 'assume_sent') then
    perform dba.refuse(format('option "when_unknown" is %s', new.options -> 'when_unknown'), 'Write one of: hold, resend, assume_sent.');
  end if;
  return new;
end
$$;
comment on function dba.mail_connection_rules() is 'BEFORE trigger of dba.connection: options of the ways out for mail.';
create trigger n_mail_connection_rules before insert or update on dba.connection for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.mail_connection_rules();
comment on column dba.connection.options is 'Further options of the kind, a JSON object. smtp: connections, mails_per_connection, per_second, per_minute, timeout_seconds, when_unknown, ca (PEM), implicit_tls, helo_name, auth (oauth, with tenant or token_url, client_id, scope), dkim_domain, dkim_selector, dkim_key (name of the secret); gmail: per_second, per_minute, when_unknown.';

create function dba.outbox_names_follow()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update dba.outbox set connection_name = new.connection_name where connection_name = old.connection_name;
  return null;
end
$$;
comment on function dba.outbox_names_follow() is 'AFTER trigger of dba.connection: mails go by its new name.';
create trigger outbox_names_follow after update of connection_name on dba.connection for each row
  when (new.connection_name <> old.connection_name) execute function dba.outbox_names_follow();

select dba.pin_search_path();
