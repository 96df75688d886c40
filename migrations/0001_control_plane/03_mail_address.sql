-- Addresses of mails, as rows that people write hold them.

create function dba.is_mail_address(address text)
returns boolean
language sql
immutable
as $$
  -- One address, with or without a name before it; a line break would begin another header.
  select address !~ '[[:cntrl:]]'
    and address ~ '^(([^<>@,;"]+|"[^"<>]*") *<[^@<>,;:"[:space:]]+@[^@<>,;:"[:space:]]+>|[^@<>,;:"[:space:]]+@[^@<>,;:"[:space:]]+)$'
$$;
comment on function dba.is_mail_address(text) is 'Whether a text is one mail address: ann@example.com, or "Ann A" <ann@example.com>. Null for null.';

create function dba.are_mail_addresses(addresses text[])
returns boolean
language sql
immutable
as $$ select coalesce(bool_and(coalesce(dba.is_mail_address(a), false)), true) from unnest(addresses) a $$;
comment on function dba.are_mail_addresses(text[]) is 'Whether each text is one mail address; true for none.';
