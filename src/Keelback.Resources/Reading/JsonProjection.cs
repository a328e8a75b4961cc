using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Keelback.Resources;

/// <summary>Writes a row as JSON straight from the reader, without an object between, exactly as the object would be written.</summary>
/// <remarks>
/// For projections <c>x => new Dto(a, b)</c> and <c>x => new Dto { A = a }</c> of plain values, where each JSON member is one of those
/// values unchanged. Any other projection is no <see cref="JsonProjection"/>, and EF makes its objects.
/// </remarks>
internal sealed class JsonProjection
{
    private readonly JsonColumn[] _columns;

    private JsonProjection(JsonColumn[] columns, IReadOnlyList<Expression> values) => (_columns, Values) = (columns, values);

    /// <summary>The projected values, in the order of the statement's columns.</summary>
    public IReadOnlyList<Expression> Values { get; }

    public static JsonProjection? Of(LambdaExpression read, JsonTypeInfo dto, IEntityType entity)
    {
        if (dto.Kind != JsonTypeInfoKind.Object || dto.PolymorphismOptions is not null) return null;
        if (Assignments(read.Body) is not { } values || !DtoProbe.KeepsItsValues(read.Body, dto)) return null;

        var columns = new List<JsonColumn>();
        foreach (var member in dto.Properties)
        {
            if (member.Get is null) continue;

            var ordinal = values.FindIndex(v => v.Name == NameOf(member));
            if (ordinal < 0 || member.ShouldSerialize is not null || member.IsExtensionData) return null;

            var value = Expression.Lambda(values[ordinal].Value, read.Parameters);
            if (JsonColumn.Of(member, ordinal, MemberPath.Property(value, entity), dto.Options) is not { } column) return null;
            columns.Add(column);
        }

        return new([.. columns], [.. values.Select(v => v.Value)]);
    }

    public void Write(Utf8JsonWriter json, NpgsqlDataReader row)
    {
        json.WriteStartObject();
        foreach (var column in _columns)
        {
            json.WritePropertyName(column.Name);
            if (row.IsDBNull(column.Ordinal) && column.IsNullable) json.WriteNullValue();
            else column.Write(json, row, column.Ordinal);
        }

        json.WriteEndObject();
    }

    // A constructor's value goes by its parameter's name, which System.Text.Json matches to members without regard to case.
    private static List<(string Name, Expression Value)>? Assignments(Expression body)
    {
        switch (body)
        {
            case NewExpression { Constructor: { } constructor } made:
                return [.. constructor.GetParameters().Zip(made.Arguments, (p, a) => (p.Name!.ToUpperInvariant(), a))];
            case MemberInitExpression init when init.Bindings.All(b => b is MemberAssignment):
                return Assignments(init.NewExpression) is { } values
                    ? [.. values, .. init.Bindings.Cast<MemberAssignment>().Select(b => (b.Member.Name.ToUpperInvariant(), b.Expression))]
                    : null;
            default:
                return null;
        }
    }

    private static string? NameOf(JsonPropertyInfo member) => (member.AttributeProvider as MemberInfo)?.Name.ToUpperInvariant();
}
