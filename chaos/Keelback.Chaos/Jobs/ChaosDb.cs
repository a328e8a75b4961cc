using Microsoft.EntityFrameworkCore;

namespace Keelback.Chaos;

/// <summary>The app's side of the database: what jobs did, without a unique index that would hide a second time.</summary>
internal sealed class ChaosDb(DbContextOptions<ChaosDb> options) : DbContext(options)
{
    public const string Schema =
        """
        create table if not exists tx_effect (run_id bigint not null, call bigint not null, attempt int not null);
        create table if not exists chord_result (run_id bigint not null, call bigint not null, results bigint[] not null);
        create table if not exists order_row (call bigint not null);
        create table if not exists chaos_knob (error_rate float8 not null);
        insert into chaos_knob select 0 where not exists (select from chaos_knob);

        create or replace function chaos_error() returns trigger language plpgsql as $$
        declare
            rate float8 := (select error_rate from chaos_knob);
        begin
            if rate > 0 and random() < rate then
                case floor(random() * 3)
                    when 0 then raise exception 'chaos' using errcode = '40001';
                    when 1 then raise exception 'chaos' using errcode = '40P01';
                    else raise exception 'chaos' using errcode = '57P01';
                end case;
            end if;
            return null;
        end $$;
        """;

    /// <summary>After the engine has made its tables: every so many statements on them fail, when the knob says so.</summary>
    public const string Triggers =
        """
        create or replace trigger chaos_error after insert or delete on keelback.claim for each statement execute function chaos_error();
        create or replace trigger chaos_error after insert or delete on keelback.ready for each statement execute function chaos_error();
        create or replace trigger chaos_error after insert or delete on keelback.timer for each statement execute function chaos_error();
        """;
}
