-- What a connection of kind http may say in its options.

create function dba.http_connection_rules()
returns trigger
language plpgsql
as $$
declare
  known constant text[] := '{auth,login_url,form_selector,user_field,password_field,proof_selector,proof_pattern,proxy_url,accept_language}';
  option text;
  value jsonb;
begin
  if jsonb_typeof(new.options) <> 'object' then
    return new;
  end if;
  for option, value in select * from jsonb_each(new.options) loop
    if option <> all (known) then
      perform dba.refuse(format('a connection of kind http has no option "%s"', option), dba.known_names_hint(option, known));
    end if;
    if jsonb_typeof(value) <> 'string' or btrim(value #>> '{}') = '' then
      perform dba.refuse(format('option %s of connection "%s" is %s', option, new.connection_name, left(value::text, 100)), format('Write a text: {"%s": "…"}, or leave it out.', option));
    end if;
    if option in ('login_url', 'proxy_url') and value #>> '{}' !~* '^https?://[^[:space:]/?#@]+([/?#][^[:space:]]*)?$' then
      perform dba.refuse(format('option %s of connection "%s" is no web address: %s', option, new.connection_name, value),
        'Write https://host/path, or http://host:port of a proxy, without user and password.');
    end if;
  end loop;
  if new.options ->> 'auth' not in ('basic', 'bearer', 'form') then
    perform dba.refuse(format('option auth of connection "%s" is "%s"', new.connection_name, new.options ->> 'auth'), 'Write basic (user_name and secret), bearer (the secret is the token) or form (log-in at login_url).');
  end if;
  if new.options ->> 'auth' = 'form' and not new.options ? 'login_url' then
    perform dba.refuse(format('connection "%s" logs in by a form, and no option says where it is', new.connection_name), 'Write the address of its page: {"auth": "form", "login_url": "https://example.com/login"}.');
  end if;
  if new.options ? 'login_url' and new.secret_name is null then
    perform dba.refuse(format('connection "%s" logs in by a form and has no secret', new.connection_name), 'Set it with: rota secret set <name>, and name it in secret_name.');
  end if;
  perform dba.check_regex(new.options ->> 'proof_pattern', 'proof_pattern');
  return new;
end
$$;
comment on function dba.http_connection_rules() is 'BEFORE trigger of dba.connection for kind http: refuses options that job scrape does not know or cannot use.';
create trigger n_http_connection_rules before insert or update on dba.connection for each row
  when (new.kind = 'http' and current_user <> 'rota_worker') execute function dba.http_connection_rules();

comment on column dba.connection.options is 'Further options of the kind, a JSON object. Of http: auth (basic, bearer or form), login_url, user_field and password_field (names of the form''s fields), form_selector, proof_selector and proof_pattern (what shows that the log-in worked), proxy_url, accept_language.';

select dba.pin_search_path();
