using System.Linq.Expressions;
using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace Keelback.Resources;

/// <summary>Says what a resource offers; what is not said here cannot be read, filtered, ordered or written.</summary>
public sealed class ResourceBuilder<T, TDto>
    where T : class
    where TDto : class
{
    private readonly string _resource;
    private readonly Func<string, string> _naming;
    private readonly List<FilterRule> _filters = [];
    private readonly List<LambdaExpression> _searched = [];
    private readonly List<OrderRule> _orders = [];

    private Expression<Func<T, TDto>>? _read;
    private Func<HttpContext, Expression<Func<T, bool>>>? _scope;
    private (int Size, int Max) _page = (50, 200);
    private Type? _create;
    private Type? _update;
    private bool _delete;
    private bool _requireIfMatch;

    internal ResourceBuilder(string resource, Func<string, string> naming) => (_resource, _naming) = (resource, naming);

    /// <summary>What a caller sees of a row; becomes one SQL statement. Required.</summary>
    public ResourceBuilder<T, TDto> Read(Expression<Func<T, TDto>> projection)
    {
        _read = projection;
        return this;
    }

    /// <summary>Allows create, partial update and delete. The members of <typeparamref name="TInput"/> are all that can be written; each is named as the entity's member that it goes to.</summary>
    /// <remarks>The same as <c>Create&lt;TInput&gt;().Update&lt;TInput&gt;().Delete()</c>; leave out what nobody may do.</remarks>
    public ResourceBuilder<T, TDto> Write<TInput>()
        where TInput : class =>
        Create<TInput>().Update<TInput>().Delete();

    /// <summary>Allows POST with this body.</summary>
    public ResourceBuilder<T, TDto> Create<TInput>()
        where TInput : class
    {
        _create = typeof(TInput);
        return this;
    }

    /// <summary>Allows PATCH with any part of this body.</summary>
    public ResourceBuilder<T, TDto> Update<TInput>()
        where TInput : class
    {
        _update = typeof(TInput);
        return this;
    }

    /// <summary>Allows DELETE.</summary>
    public ResourceBuilder<T, TDto> Delete()
    {
        _delete = true;
        return this;
    }

    /// <summary>Allows callers to ask for rows by this member: <c>genreId=1</c>, <c>genreId__in=1,2</c>, and what <paramref name="ops"/> adds.</summary>
    /// <param name="member">A member, or one of a related row: <c>t => t.Album.Title</c>.</param>
    /// <param name="ops">What else can be asked. Default: nothing.</param>
    /// <param name="name">The query key. Default: the members' JSON names joined by <c>__</c>, such as <c>album__title</c>.</param>
    public ResourceBuilder<T, TDto> Filter<TValue>(Expression<Func<T, TValue>> member, FilterOps ops = FilterOps.None, string? name = null)
    {
        _filters.Add(new FilterRule(name ?? Name(member), member, ops));
        return this;
    }

    /// <summary>Allows <c>search=two words</c>: rows that hold every word in one of these members, without regard to case.</summary>
    public ResourceBuilder<T, TDto> Search(params Expression<Func<T, string?>>[] members)
    {
        _searched.AddRange(members);
        return this;
    }

    /// <summary>Allows <c>ordering=-unitPrice,name</c> by these members. The primary key is always added last, so that pages never overlap.</summary>
    public ResourceBuilder<T, TDto> Order(params Expression<Func<T, object?>>[] members)
    {
        _orders.AddRange(members.Select(m =>
        {
            var member = Expression.Lambda(Boxed.Unbox(m.Body), m.Parameters);
            return new OrderRule(Name(member), member);
        }));
        return this;
    }

    /// <summary>Rows on a page when the caller does not say, and at most. Default 50 and 200.</summary>
    public ResourceBuilder<T, TDto> Page(int size, int max)
    {
        _page = (size, max);
        return this;
    }

    /// <summary>The rows that a caller may see or touch at all; any other is as if it did not exist, on every verb.</summary>
    /// <remarks>Called once a request. A write that would take the row out of the scope is refused with 403.</remarks>
    public ResourceBuilder<T, TDto> Scope(Func<HttpContext, Expression<Func<T, bool>>> scope)
    {
        _scope = scope;
        return this;
    }

    /// <summary>Answers PATCH and DELETE without <c>If-Match</c> with 428, so that no one overwrites what they have not seen. Default: it may be left out.</summary>
    public ResourceBuilder<T, TDto> RequireIfMatch()
    {
        _requireIfMatch = true;
        return this;
    }

    internal ResourceDefinition<T, TDto> Build()
    {
        if (_read is null) throw ResourceErrors.NoRead(_resource);
        if (_page.Size < 1 || _page.Max < _page.Size) throw ResourceErrors.BadPage(_resource, _page.Size, _page.Max);
        if (_filters.Select(f => f.Name).Concat(QueryKeys.Reserved).GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw ResourceErrors.FilterTwice(_resource, twice.Key);

        if (_create is not null && typeof(T).GetConstructor(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, []) is null)
            throw ResourceErrors.NoConstructor(_resource, typeof(T).Name);

        foreach (var filter in _filters)
            if (!QueryValue.CanRead(filter.ValueType)) throw ResourceErrors.UnreadableFilter(_resource, filter.Name, filter.ValueType.Name);
            else if (filter.Unfit is { } op) throw ResourceErrors.UnfitFilter(_resource, filter.Name, filter.ValueType.Name, op);

        return new(_resource, _read, _scope, _filters, _searched, _orders, _page.Size, _page.Max, _create, _update, _delete, _requireIfMatch);
    }

    private string Name(LambdaExpression member) => MemberPath.Of(member) is { Count: > 0 } path
        ? string.Join("__", path.Select(m => _naming(m.Name)))
        : throw ResourceErrors.NoName(_resource, member.Body.ToString());
}
