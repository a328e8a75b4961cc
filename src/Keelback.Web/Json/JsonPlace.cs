namespace Keelback.Web;

/// <summary>Where the reader is; turned into text only when there is an error to place.</summary>
internal sealed class JsonPlace
{
    private readonly (string? Name, int Index)[] _parts = new (string?, int)[StrictJson.MaxDepth + 1];
    private int _depth;

    public void Enter(string name) => _parts[_depth++] = (name, 0);

    public void Enter(int index) => _parts[_depth++] = (null, index);

    public void Leave() => _depth--;

    public string Pointer()
    {
        var pointer = "";
        for (var i = 0; i < _depth; i++)
        {
            var (name, index) = _parts[i];
            pointer = name is null ? JsonPointer.Append(pointer, index) : JsonPointer.Append(pointer, name);
        }

        return pointer;
    }
}
