using Keelback.Data;
using Keelback.Postgres;
using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Keelback.Resources;

/// <summary>Answers what the database refused in the caller's words: the member that broke a rule, not the constraint.</summary>
internal sealed class DatabaseProblems : IProblemMapper
{
    public Problem? Map(Exception exception, HttpContext http) => exception switch
    {
        DbUpdateConcurrencyException => Problem.Conflict(FieldError.InBody("", "changed", "The row was changed by someone else; read it again.")),
        _ when Violation(exception, http) is { } violation => Broken(violation),
        _ when IsAway(exception) => new(StatusCodes.Status503ServiceUnavailable),
        _ when Postgres(exception) is { } postgres => Failed(postgres.SqlState),
        _ => null,
    };

    private static ConstraintViolation? Violation(Exception exception, HttpContext http) =>
        Postgres(exception) is not null && http.RequestServices.GetService<DbContext>() is { } db
            ? ConstraintViolation.From(exception, db)
            : null;

    private static Problem Broken(ConstraintViolation violation)
    {
        var collides = violation.Kind == ConstraintKind.Unique || violation is { Kind: ConstraintKind.ForeignKey, OnDelete: true };
        return collides ? Problem.Conflict(violation.ToErrors()) : Problem.Input(violation.ToErrors());
    }

    private static Problem? Failed(string state) => state switch
    {
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected =>
            Problem.Conflict(FieldError.InBody("", "concurrent", "Another request was at the same rows; try again.")),
        PostgresErrorCodes.NumericValueOutOfRange => Problem.Input(FieldError.InBody("", "range", "A number does not fit its column.")),
        PostgresErrorCodes.CharacterNotInRepertoire => Problem.Input(FieldError.InBody("", "nul", "A text cannot be stored.")),
        _ => null,
    };

    private static PostgresException? Postgres(Exception? exception)
    {
        while (exception is not null and not PostgresException) exception = exception.InnerException;
        return exception as PostgresException;
    }

    private static bool IsAway(Exception? exception)
    {
        // The driver's own only: any other TimeoutException is about some other service.
        for (; exception is not null; exception = exception.InnerException)
            if (exception is NpgsqlException && Outage.Is(exception)) return true;

        return false;
    }
}
