using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;

namespace Keelback.Web;

/// <summary>The app's JSON settings, made strict for input: exact names, no duplicates, no strangers, no numbers in strings.</summary>
internal sealed class StrictJson(IOptions<JsonOptions> app)
{
    public const int MaxDepth = 32;

    private readonly ConcurrentDictionary<Type, JsonContract> _contracts = new();

    private readonly Lazy<JsonSerializerOptions> _options = new(() => Strict(app.Value.SerializerOptions));

    /// <summary>How the app writes its answers.</summary>
    public JsonSerializerOptions Answers => app.Value.SerializerOptions;

    public JsonContract Contract(Type type) =>
        _contracts.GetOrAdd(type, t => new JsonContract(_options.Value.GetTypeInfo(t), this, null));

    /// <summary>A contract of its own, whose members obey further rules; not cached.</summary>
    public JsonContract Contract(Type type, JsonRules? rules) => new(_options.Value.GetTypeInfo(type), this, rules);

    /// <summary>As <see cref="Contract(Type, JsonRules?)"/>, and no member of the root itself is required: a merge patch.</summary>
    public JsonContract Patch(Type type, JsonRules? rules)
    {
        var options = new JsonSerializerOptions(_options.Value);
        options.TypeInfoResolver = options.TypeInfoResolver!.WithAddedModifier(info =>
        {
            if (info.Type != type) return;
            foreach (var property in info.Properties) property.IsRequired = false;
        });
        options.MakeReadOnly();

        return new(options.GetTypeInfo(type), this, rules);
    }

    // A constructor parameter that takes null takes it for what is not sent, too; "required" on a property stays required.
    private static void LetNullableBeMissing(JsonTypeInfo info)
    {
        foreach (var property in info.Properties)
            if (property.AssociatedParameter is { IsMemberInitializer: false } parameter
                && (parameter.IsNullable || JsonNulls.IsNullable(parameter.ParameterType)))
                property.IsRequired = false;
    }

    private static JsonSerializerOptions Strict(JsonSerializerOptions app)
    {
        var strict = new JsonSerializerOptions(app)
        {
            AllowDuplicateProperties = false,
            AllowTrailingCommas = false,
            MaxDepth = MaxDepth,
            NumberHandling = JsonNumberHandling.Strict,
            PropertyNameCaseInsensitive = false,
            ReadCommentHandling = JsonCommentHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        };
        strict.TypeInfoResolver = (strict.TypeInfoResolver ?? new DefaultJsonTypeInfoResolver()).WithAddedModifier(LetNullableBeMissing);
        strict.MakeReadOnly();
        return strict;
    }
}
