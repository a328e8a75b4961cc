-- As before, but that a run whose members are gone gets a jsonb null, of which the worker makes an error, and never fewer of them without a word.
create or replace function keelback.bound_input(input jsonb, ups bigint[], params text[]) returns jsonb language plpgsql stable as $$
declare
    whole jsonb;
    found bigint;
begin
    select input || coalesce(jsonb_object_agg(name, value), '{}'), coalesce(sum(n), 0) into whole, found
    from (
        select rtrim(b.param, '[]!?') as name, count(*) as n,
               case when bool_or(b.param like '%[]') then jsonb_agg(v.value order by b.ord) else jsonb_agg(v.value) -> 0 end as value
        from unnest(ups, params) with ordinality b (up, param, ord)
        cross join lateral (select id, kind, state, output, error from keelback.run where id = b.up limit 1) r
        cross join lateral (select case
            when b.param like '%!' then jsonb_build_object('run', r.id, 'kind', r.kind, 'state', keelback.state_name(r.state), 'error', r.error)
            when b.param like '%?' or b.param like '%?[]' then
                jsonb_strip_nulls(jsonb_build_object('run', r.id, 'kind', r.kind, 'state', keelback.state_name(r.state), 'error', r.error))
                || case when r.output is null then '{}' else jsonb_build_object('value', r.output) end
            else r.output end as value) v
        where b.param <> ''
        group by 1
    ) arguments;
    if found < cardinality(params) - cardinality(array_positions(params, '')) then return 'null'; end if;
    return case when pg_column_size(whole) <= 67108864 then whole end;
exception when program_limit_exceeded then
    return null; -- a jsonb ends at 256 MB
end $$;

-- As before, but that none is opened whose members are gone, and that the key of what stands in a run's place is locked before the runs, too.
create or replace function keelback.redrive(ids bigint[], of_app text, whole bool) returns bigint[] language plpgsql volatile
set enable_seqscan = off set jit = off as $$
declare
    opened bigint[];
    holder bigint;
    x      record;
begin
    -- Before the runs, as who replaces a run has it.
    perform from keelback.unique_key u
    where u.app = of_app and u.key in (
        with recursive r (id, root, replaced_by, unique_key) as (
            select k.id, k.root, k.replaced_by, k.unique_key from keelback.run r join keelback.run k on k.id = any(array[r.id, r.root]) where r.id = any(ids)
            union
            select k.id, k.root, k.replaced_by, k.unique_key from r join keelback.run k on k.id = r.replaced_by
        )
        select r.unique_key from r)
    order by u.key for update;

    opened := keelback.open_again(ids, of_app, whole);
    for x in
        select r.id, r.kind, count(*) as gone, cardinality(r.ups) as members
        from unnest(opened) o (id)
        cross join lateral (select * from keelback.run where id = o.id limit 1) r
        cross join lateral unnest(r.ups, r.params) b (up, param)
        where b.param <> '' and not exists (select from keelback.run u where u.id = b.up)
        group by r.id, r.kind, r.ups order by r.id limit 1
    loop
        raise exception using errcode = 'KB288',
            message = format('Run %s of ''%s'' was not opened again: of the %s runs whose results it takes, %s are gone with their retention.', x.id, x.kind, x.members, x.gone);
    end loop;

    for x in
        select r.id, r.unique_key, r.key_to_start from keelback.run r
        where r.id = any(opened) and r.unique_key is not null and not (r.key_to_start and r.base_attempt > 0)
        order by r.unique_key
    loop
        holder := keelback.take_unique(of_app, x.unique_key, x.id, null, x.key_to_start, 0::smallint);
        if holder <> x.id then
            raise exception using errcode = 'KB233',
                message = format('Run %s was not opened again: run %s has its unique key ''%s'' now.', x.id, holder, x.unique_key);
        end if;
    end loop;
    return opened;
end $$;
