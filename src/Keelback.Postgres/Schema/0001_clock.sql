create schema if not exists keelback;

create table if not exists keelback.migration (
    module     text not null,
    number     int not null,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (module, number)
);

-- Empty but in tests, which move the clock by one row.
create table keelback.clock_offset (by interval not null);

create function keelback.clock() returns timestamptz language sql stable as
    $$ select clock_timestamp() + coalesce((select by from keelback.clock_offset), '0') $$;
