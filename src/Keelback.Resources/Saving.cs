using Keelback.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Keelback.Resources;

/// <summary>What a resource is about to do with a row.</summary>
public enum SavingKind
{
    /// <summary>The row is new; a generated key is not known yet.</summary>
    Create,

    /// <summary>Members of the row have been changed.</summary>
    Update,

    /// <summary>The row will be deleted.</summary>
    Delete,
}

/// <summary>A row that a resource is about to save.</summary>
public sealed class Saving<T>
    where T : class
{
    private readonly List<FieldError> _errors = [];

    internal Saving(SavingKind kind, T entity, DbContext db, HttpContext http) =>
        (Kind, Entity, Db, Http) = (kind, entity, db, http);

    /// <summary>What is about to happen.</summary>
    public SavingKind Kind { get; }

    /// <summary>The row, with the caller's values in it; tracked by <see cref="Db"/>.</summary>
    public T Entity { get; }

    /// <summary>The context that saves; what is added to it is saved along.</summary>
    public DbContext Db { get; }

    /// <summary>The request.</summary>
    public HttpContext Http { get; }

    internal Problem? Problem => _errors.Count == 0 ? null : Problem.Input(_errors);

    /// <summary>Refuses the request with 400; nothing is saved. Called several times, all errors are answered at once.</summary>
    /// <param name="pointer">JSON Pointer into the body, such as <c>/genreId</c>; empty for the whole, and for a delete, which has no body.</param>
    /// <param name="code">Stable, machine-readable.</param>
    /// <param name="message">For a person; says what was expected.</param>
    public void Refuse(string pointer, string code, string message) =>
        _errors.Add(FieldError.InBody(pointer, code, message));
}
