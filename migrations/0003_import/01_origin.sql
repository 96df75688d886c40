-- What label_spec and date_spec of dba.importconfig may ask of the mail or page that a file came from.

create function dba.check_origin_spec(origin text, spec text, what text)
returns text
language plpgsql
immutable
as $$
declare
  words constant text[] := case origin when 'mail' then array['subject', 'sender', 'date'] else array['address', 'id', 'fetched', 'title'] end;
  word constant text := btrim(split_part(spec, ':', 1));
  part constant text := btrim(substring(spec from ':(.*)$'));
  hint constant text := case origin
    when 'mail' then 'Write subject, sender or date; and, behind a colon, which part of it: subject: Prices for ([A-Z]+).'
    else 'Write address, id, fetched, title or a column of dba.scrapefield; and, behind a colon, which part of it: address: event_([0-9]+).' end;
begin
  if spec is null then
    return null;
  elsif origin = 'mail' and word <> all (words) or word = '' then
    perform dba.refuse(format('%s "%s" names nothing that a %s tells', what, left(spec, 100), origin),
      coalesce('Did you mean "' || dba.nearest_name(word, words) || '"? ', '') || hint);
  elsif part = '' then
    perform dba.refuse(format('%s "%s" ends at its colon', what, left(spec, 100)), hint);
  end if;
  perform dba.check_regex(part, what);
  return spec;
end
$$;
comment on function dba.check_origin_spec(text, text, text) is 'Refuses what is no word for something that a mail or page tells, in words; else returns it. Columns of dba.scrapefield are judged when the row is written.';
