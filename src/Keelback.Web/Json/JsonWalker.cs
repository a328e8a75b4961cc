using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Keelback.Web;

/// <summary>Reads a body once against its contract and collects every error, where a deserializer stops at the first.</summary>
/// <remarks>Stops when the list of errors is full, whatever follows: a hostile body costs no more than an honest one.</remarks>
/// <param name="json">The whole body; must be UTF-8.</param>
/// <param name="errors">Receives what is wrong.</param>
/// <param name="checkRules">Checks attributes too, of each member whose JSON is right. For a body that has errors already,
/// whose objects will not be made; else the attributes are checked on the objects.</param>
internal ref struct JsonWalker(ReadOnlySpan<byte> json, ErrorList errors, bool checkRules)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private readonly JsonPlace _place = new();
    private Utf8JsonReader _reader = new(json, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });

    /// <summary>Which of the root's members were sent, by position.</summary>
    public bool[] Sent { get; private set; } = [];

    public void Walk(JsonContract root)
    {
        Sent = new bool[root.Members.Count];
        try
        {
            _reader.Read();
            Value(root, JsonNulls.Unknown, Sent);
            if (!errors.IsFull) _reader.Read(); // throws where something follows the value
        }
        catch (JsonException e)
        {
            // What was found so far stands in a text that cannot be trusted: only the break itself is told.
            errors.Clear();
            if (_reader.CurrentDepth + 1 >= StrictJson.MaxDepth) // CurrentDepth does not count the bracket it stands on
                errors.Add(_place.Pointer(), "depth", $"The JSON is nested deeper than {StrictJson.MaxDepth} levels.");
            else
                errors.Add("", "json", $"The JSON is broken at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
        }
    }

    private void Value(JsonContract contract, JsonNulls nulls, bool[]? sent = null)
    {
        if (_reader.TokenType == JsonTokenType.Null)
        {
            if (!nulls.Allowed && !JsonNulls.IsNullable(contract.Type)) Add("null", "null is not allowed.");
            return;
        }

        switch (contract.Info.Kind)
        {
            case JsonTypeInfoKind.Object when contract.IsOpaque:
                _reader.Skip();
                break;
            case JsonTypeInfoKind.Object:
                Object(contract, sent ?? new bool[contract.Members.Count]);
                break;
            case JsonTypeInfoKind.Enumerable:
                Array(contract, nulls.Element ?? JsonNulls.Unknown);
                break;
            case JsonTypeInfoKind.Dictionary:
                Dictionary(contract, nulls.Element ?? JsonNulls.Unknown);
                break;
            default:
                var problem = JsonScalar.Check(ref _reader, contract.Info);
                if (problem is not null) Add(problem.Value.Code, problem.Value.Message);
                break;
        }
    }

    private void Object(JsonContract contract, bool[] sent)
    {
        if (!Begins(JsonTokenType.StartObject, "an object")) return;

        for (var expected = 0; !errors.IsFull && _reader.Read() && _reader.TokenType == JsonTokenType.PropertyName;)
        {
            var index = contract.Find(ref _reader, expected);
            if (index < 0)
            {
                Stranger(contract);
                continue;
            }

            expected = index + 1;
            _place.Enter(contract.Members[index].Name);
            if (sent[index]) Add("duplicate", "This member stands twice.");
            sent[index] = true;
            _reader.Read();
            Member(contract, contract.Members[index]);
            _place.Leave();
        }

        for (var i = 0; i < sent.Length && !errors.IsFull; i++)
        {
            if (sent[i] || !contract.Members[i].IsRequired) continue;
            _place.Enter(contract.Members[i].Name);
            Add("required", "A value is required.");
            _place.Leave();
        }
    }

    private void Member(JsonContract contract, JsonMember member)
    {
        if (member.IsOpaque)
        {
            _reader.Skip();
            return;
        }

        var (before, start) = (errors.Count, (int)_reader.TokenStartIndex);
        Value(contract.Of(member), member.Nulls);

        if (checkRules && member.LoneRules.Count > 0 && errors.Count == before && !errors.IsFull)
            Rules(contract.Of(member), member, _json[start..(int)_reader.BytesConsumed]);
    }

    private readonly void Rules(JsonContract contract, JsonMember member, ReadOnlySpan<byte> json)
    {
        object? value;
        try
        {
            value = JsonSerializer.Deserialize(json, contract.Info);
        }
        catch (Exception e) when (BodyReader.IsRefusal(e))
        {
            Add("value", "The value is not accepted.");
            return;
        }

        MemberRules.Check(member, value, owner: null, _place.Pointer(), errors);
    }

    private void Stranger(JsonContract contract)
    {
        var name = contract.TakesStrangers ? "" : JsonScalar.Text(ref _reader);
        _reader.Skip(); // to the value, and over it
        if (contract.TakesStrangers) return;

        if (name is null)
        {
            Add("text", "A member's name is not Unicode text.");
            return;
        }

        _place.Enter(Shown.Text(name));
        Add("unknown", "No member has this name." + Shown.Hint(name, contract.Members.Select(m => m.Name)));
        _place.Leave();
    }

    private void Array(JsonContract contract, JsonNulls elements)
    {
        if (!Begins(JsonTokenType.StartArray, "an array")) return;

        for (var i = 0; !errors.IsFull && _reader.Read() && _reader.TokenType != JsonTokenType.EndArray; i++)
        {
            _place.Enter(i);
            Value(contract.Element!, elements);
            _place.Leave();
        }
    }

    private void Dictionary(JsonContract contract, JsonNulls values)
    {
        if (!Begins(JsonTokenType.StartObject, "an object")) return;

        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (!errors.IsFull && _reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonScalar.Text(ref _reader);
            _place.Enter(name is null ? "\uFFFD" : Shown.Text(name));
            if (name is null) Add("text", "A member's name is not Unicode text.");
            else if (!seen.Add(name)) Add("duplicate", "This member stands twice.");
            else if (name.Contains('\0')) Add("nul", "The character U+0000 cannot be stored.");

            _reader.Read();
            Value(contract.Element!, values);
            _place.Leave();
        }
    }

    private bool Begins(JsonTokenType token, string expected)
    {
        if (_reader.TokenType == token) return true;

        Add("type", $"Expected {expected}, got {JsonScalar.Name(_reader.TokenType)}.");
        _reader.Skip();
        return false;
    }

    private readonly void Add(string code, string message) => errors.Add(_place.Pointer(), code, message);
}
