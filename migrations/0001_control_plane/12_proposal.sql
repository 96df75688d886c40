-- Changes of a target that a file asks for and a person decides: dba.columnproposal. And refused rows by the kind of their error.

create table dba.columnproposal (
  proposal_id     bigint       primary key generated always as identity,
  job             text         not null default 'import',
  config_name     text         not null,
  file_id         bigint       references dba.file (file_id) on delete set null,
  run_id          uuid,
  kind            text         not null,
  target_table    text,
  column_name     text,
  ddl             text         not null,
  reason          text         not null,
  state           text         not null default 'open',
  created_at      timestamptz  not null default clock_timestamp(),
  decided_at      timestamptz,
  decided_by      text,
  decided_reason  text,
  constraint proposal_kind_is_a_known_word check (kind in ('create_table', 'add_column', 'widen_column', 'rename_column')),
  constraint proposal_state_is_open_approved_or_refused check (state in ('open', 'approved', 'refused')),
  constraint ddl_is_not_blank check (btrim(ddl) <> '')
);
comment on table dba.columnproposal is 'Changes of targets that files ask for, where on_new_column is propose. update dba.columnproposal set state = ''approved'' where proposal_id = 7 carries its ddl out with your rights, and the files that wait are loaded; ''refused'' does not: the files that wait fail, and those to come are loaded without the column, or without the rows that a column is too narrow for. To load a failed one so too: update dba.file set state = ''retry'' where file_id = 3.';
comment on column dba.columnproposal.proposal_id is 'Number of the proposal.';
comment on column dba.columnproposal.job is 'The job that makes it.';
comment on column dba.columnproposal.config_name is 'Row of that job''s settings table.';
comment on column dba.columnproposal.file_id is 'The file that asked for it first.';
comment on column dba.columnproposal.run_id is 'The run that met it.';
comment on column dba.columnproposal.kind is 'create_table, add_column, widen_column or rename_column.';
comment on column dba.columnproposal.target_table is 'The table that changes, as schema.table.';
comment on column dba.columnproposal.column_name is 'The column that changes; null: the whole table.';
comment on column dba.columnproposal.ddl is 'The exact statements. While it is open or refused you may correct them, for example the type; write schema.table.';
comment on column dba.columnproposal.reason is 'In words: what the file has, what was seen in it, what it may be a rename of.';
comment on column dba.columnproposal.state is 'open; people set approved (the change is made, files that wait are loaded) or refused (it is not: files that wait fail, later ones are loaded without the column). A refused one may still be approved.';
comment on column dba.columnproposal.created_at is 'When it was made.';
comment on column dba.columnproposal.decided_at is 'When it was decided. Kept by Rota.';
comment on column dba.columnproposal.decided_by is 'Who decided. Kept by Rota.';
comment on column dba.columnproposal.decided_reason is 'Why, as that person says.';
comment on constraint columnproposal_file_id_fkey on dba.columnproposal is 'Set by Rota.';
comment on constraint proposal_kind_is_a_known_word on dba.columnproposal is 'Set by Rota.';
comment on constraint proposal_state_is_open_approved_or_refused on dba.columnproposal is 'Write approved or refused.';
comment on constraint ddl_is_not_blank on dba.columnproposal is 'Write the statement that shall be carried out, or set state to refused.';
create unique index a_change_is_proposed_once on dba.columnproposal (job, config_name, coalesce(target_table, ''), kind, coalesce(column_name, '')) where state = 'open';
comment on index dba.a_change_is_proposed_once is 'Law: a change that many files ask for is decided once.';
create index columnproposal_by_config on dba.columnproposal (job, config_name, proposal_id);

create function dba.columnproposal_rules()
returns trigger
language plpgsql
as $$
begin
  if old.state = 'approved' and (new.state, new.ddl) is distinct from (old.state, old.ddl) then
    perform dba.refuse(format('proposal %s was approved by %s', old.proposal_id, old.decided_by), 'Its ddl has been carried out: change the table itself.');
  elsif old.state = 'refused' and new.state = 'open' then
    perform dba.refuse(format('proposal %s was refused by %s', old.proposal_id, old.decided_by), 'Set state to approved if it shall be carried out after all.');
  end if;
  if new.state is distinct from old.state and new.state in ('approved', 'refused') then
    new.decided_at := clock_timestamp();
    new.decided_by := session_user;
    if new.state = 'approved' then
      if not exists (select from dba.jobconfig c where c.job = new.job and c.config_name = new.config_name) then
        perform dba.refuse(format('config "%s", whose file asked for it, no longer exists', new.config_name),
          'Insert it again (dba.configaudit has it: dba.restore), or set state to refused.');
      end if;
      perform dba.carry_out(new.proposal_id, new.ddl);
    end if;
  end if;
  return new;
end
$$;
comment on function dba.columnproposal_rules() is 'BEFORE trigger of dba.columnproposal for people: keeps who decided, and carries out what is approved.';
select dba.adopt_ledger_table('columnproposal', '{state,ddl,decided_reason}', 'Set state to approved or refused; before that you may correct ddl.', 'file');
create trigger audit after update on dba.columnproposal for each row
  when (current_user not in ('rota_worker', 'rota_owner')) execute function dba.audit_change('proposal_id', '{}');

-- A table that is being loaded is waited for, but not for as long as a large file takes.
create function dba.carry_out(proposal_id bigint, ddl text)
returns void
language plpgsql
set lock_timeout = '5s'
as $$
begin
  if btrim(coalesce(ddl, '')) = '' then
    return;
  end if;
  execute ddl;
exception
  when lock_not_available then
    perform dba.refuse(format('proposal %s waits for a table that is in use', carry_out.proposal_id), 'Approve it again when the load that goes on has ended: select * from dba.run where state = ''running''.', null, '55P03');
  when others then
    perform dba.refuse(format('the ddl of proposal %s cannot be carried out: %s', carry_out.proposal_id, sqlerrm),
      'Correct it in the same UPDATE (set state = ''approved'', ddl = ''…''), writing schema.table; or set state to refused.', 'It says: ' || left(ddl, 1000), sqlstate);
end
$$;
comment on function dba.carry_out(bigint, text) is 'Runs the ddl of a proposal with the rights of whoever approves it.';

-- With the rights of the owner, since people do not set a file that waits. When every proposal of the config is decided, its files come again;
-- where all were refused since they began to wait, they fail: to leave out data of theirs is for a person to ask.
create function dba.proposal_decided()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from dba.columnproposal p where p.job = new.job and p.config_name = new.config_name and p.state = 'open') then
    return null;
  end if;
  update dba.file f
  set state = 'retry', reason = format('loaded again: proposal %s was decided by %s', new.proposal_id, new.decided_by), updated_at = clock_timestamp()
  where f.job = new.job and f.config_name = new.config_name and f.state = 'waiting'
    and exists (
      select from dba.columnproposal p
      where p.job = f.job and p.config_name = f.config_name and p.state = 'approved' and p.decided_at >= f.updated_at);
  -- Somebody has thought better of it.
  if old.state = 'refused' and new.state = 'approved' then
    update dba.file f
    set state = 'retry', reason = format('loaded again: proposal %s was decided by %s', new.proposal_id, new.decided_by), updated_at = clock_timestamp()
    where f.job = new.job and f.config_name = new.config_name and f.state = 'failed' and f.reason ~ format('^Refused by .* in dba[.]columnproposal [0-9, ]*\m%s\M', new.proposal_id);
  end if;
  update dba.file f
  set state = 'failed', updated_at = clock_timestamp(),
      reason = (
        select format('Refused by %s in dba.columnproposal %s: %s%s', string_agg(distinct coalesce(p.decided_by, session_user), ', '), string_agg(p.proposal_id::text, ', ' order by p.proposal_id),
          string_agg(case p.kind when 'create_table' then format('table "%s"', p.target_table) else format('column "%s"', p.column_name) end || coalesce(' (' || p.decided_reason || ')', ''), ', ' order by p.proposal_id),
          case when bool_or(p.kind = 'create_table') then '' else format('. To load it without: update dba.file set state = ''retry'' where file_id = %s;', f.file_id) end)
        from dba.columnproposal p
        where p.job = f.job and p.config_name = f.config_name and p.state = 'refused' and (p.decided_at >= f.updated_at or p.proposal_id = new.proposal_id))
  where f.job = new.job and f.config_name = new.config_name and f.state = 'waiting' and new.state = 'refused';
  return null;
end
$$;
comment on function dba.proposal_decided() is 'AFTER trigger of dba.columnproposal: the files that waited for it are loaded again, or fail when nothing was approved.';
create trigger proposal_decided after update on dba.columnproposal for each row
  when (new.state <> old.state and new.state <> 'open') execute function dba.proposal_decided();

create view dba.reject_group as
  with patterned as (
    select
      f.config_name, f.file_id, f.file_name, r.sheet, r.column_name, r.rule, r.message, r.state, r.line, r.value, r.reject_id, r.created_at,
      regexp_replace(regexp_replace(r.message, '"[^"]*"', '"…"', 'g'), '\d+([.,]\d+)*', '…', 'g') as pattern
    from dba.reject r
    left join dba.file f using (file_id)
  )
  select
    p.config_name, p.file_id, p.file_name, p.sheet, p.column_name, p.rule,
    (array_agg(p.message order by p.line, p.reject_id))[1] as message,
    count(*) as rejects,
    count(*) filter (where p.state = 'open') as open,
    min(p.line) as first_line,
    max(p.line) as last_line,
    (array_agg(p.value order by p.line, p.reject_id))[1] as example,
    (array_agg(p.reject_id order by p.line, p.reject_id))[1] as example_reject_id,
    min(p.created_at) as since
  from patterned p
  group by p.config_name, p.file_id, p.file_name, p.sheet, p.column_name, p.rule, p.pattern
  order by min(p.created_at) desc, count(*) desc;
comment on view dba.reject_group is 'Refused rows by file, column and kind of error: the same error in 10,000 rows is one row here. select * from dba.reject_group where config_name = ''prices''.';
comment on column dba.reject_group.config_name is 'Row of the settings table by which the file was loaded.';
comment on column dba.reject_group.file_id is 'The file.';
comment on column dba.reject_group.file_name is 'Name of the file.';
comment on column dba.reject_group.sheet is 'Sheet of the workbook.';
comment on column dba.reject_group.column_name is 'Column that was refused; null: the row as a whole.';
comment on column dba.reject_group.rule is 'Rule that was broken.';
comment on column dba.reject_group.message is 'What is wrong with the first of them, in words; the others differ in values and numbers only.';
comment on column dba.reject_group.rejects is 'How many rows.';
comment on column dba.reject_group.open is 'How many of them nobody has dealt with yet.';
comment on column dba.reject_group.first_line is 'First line of the file with this error.';
comment on column dba.reject_group.last_line is 'Last one.';
comment on column dba.reject_group.example is 'The value in the first line.';
comment on column dba.reject_group.example_reject_id is 'Its row in dba.reject.';
comment on column dba.reject_group.since is 'When the first was refused.';

grant select on dba.reject_group to rota_reader;
