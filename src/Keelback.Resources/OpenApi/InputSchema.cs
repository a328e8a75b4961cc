using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Keelback.Web;
using Microsoft.OpenApi;

namespace Keelback.Resources;

/// <summary>Says of a body what its reader holds it to: what is required, what can be null, and the rules of each member.</summary>
internal static class InputSchema
{
    // A type that holds itself is described this deep, and then as any JSON.
    private const int Deepest = 8;

    public static OpenApiSchema Of(JsonContract contract) => Of(contract, depth: 0);

    private static OpenApiSchema Of(JsonContract contract, int depth)
    {
        if (depth > Deepest || contract.IsOpaque) return new OpenApiSchema();

        return contract.Info.Kind switch
        {
            JsonTypeInfoKind.Object => Object(contract, depth),
            JsonTypeInfoKind.Enumerable => new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(contract.Element!, depth + 1) },
            JsonTypeInfoKind.Dictionary => new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                AdditionalProperties = Of(contract.Element!, depth + 1),
            },
            _ => ScalarSchema.Of(Nullable.GetUnderlyingType(contract.Type) ?? contract.Type),
        };
    }

    private static OpenApiSchema Object(JsonContract contract, int depth) => new()
    {
        Type = JsonSchemaType.Object,
        AdditionalPropertiesAllowed = contract.TakesStrangers,
        Required = contract.Members.Where(m => m.IsRequired).Select(m => m.Name).ToHashSet(),
        Properties = contract.Members.ToDictionary(m => m.Name, m => (IOpenApiSchema)Member(contract, m, depth)),
    };

    private static OpenApiSchema Member(JsonContract contract, JsonMember member, int depth)
    {
        var schema = member.IsOpaque ? new OpenApiSchema() : Of(contract.Of(member), depth + 1);
        if (member.Nulls.Allowed && !member.Rules.Any(r => r is RequiredAttribute or ColumnRules.NotNullRule) && schema.Type is { } type)
            schema.Type = type | JsonSchemaType.Null;
        foreach (var rule in member.Rules) Constrain(schema, rule);
        return schema;
    }

    private static void Constrain(OpenApiSchema schema, ValidationAttribute rule)
    {
        switch (rule)
        {
            case ColumnRules.LengthRule column:
                AtMost(schema, column.Most);
                break;
            case StringLengthAttribute length:
                AtLeast(schema, length.MinimumLength);
                AtMost(schema, length.MaximumLength);
                break;
            case LengthAttribute length:
                AtLeast(schema, length.MinimumLength);
                AtMost(schema, length.MaximumLength);
                break;
            case MinLengthAttribute length:
                AtLeast(schema, length.Length);
                break;
            case MaxLengthAttribute length:
                AtMost(schema, length.Length);
                break;
            case RangeAttribute range:
                schema.Minimum = Convert.ToString(range.Minimum, CultureInfo.InvariantCulture);
                schema.Maximum = Convert.ToString(range.Maximum, CultureInfo.InvariantCulture);
                break;
            case RegularExpressionAttribute expression:
                schema.Pattern = $"^(?:{expression.Pattern})$"; // the attribute matches the whole text
                break;
            case EmailAddressAttribute:
                schema.Format = "email";
                break;
        }
    }

    private static void AtLeast(OpenApiSchema schema, int least)
    {
        if (least == 0) return;
        if (schema.Items is null) schema.MinLength = least;
        else schema.MinItems = least;
    }

    private static void AtMost(OpenApiSchema schema, int most)
    {
        if (schema.Items is null) schema.MaxLength = Math.Min(schema.MaxLength ?? int.MaxValue, most);
        else schema.MaxItems = most;
    }
}
