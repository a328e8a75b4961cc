namespace Keelback.Postgres;

/// <summary>A <see cref="TimeProvider"/> that jumps. Loops listen, because a due time in the database may have come without any timer of theirs.</summary>
internal interface IMovableClock
{
    event Action? Moved;
}
