using System.Collections;
using System.Globalization;
using System.Reflection;

namespace Keelback;

/// <summary>A settings object as keys and values; nulls and empty lists have no line.</summary>
internal static class SettingsPrinter
{
    public static IEnumerable<(string Key, string Value)> Lines(string path, object value) => value switch
    {
        string text => [(path, text)],
        IFormattable or bool or Uri or Type => [(path, Convert.ToString(value, CultureInfo.InvariantCulture)!)],
        Delegate => [],
        IDictionary pairs => pairs.Keys.Cast<object>().Where(k => pairs[k] is not null).SelectMany(k => Lines($"{path}:{k}", pairs[k]!)),
        IEnumerable items => items.Cast<object>().SelectMany((item, i) => Lines($"{path}:{i}", item)),
        _ => from property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
             where property.GetIndexParameters().Length == 0
             let inner = property.GetValue(value)
             where inner is not null
             from line in Lines($"{path}:{property.Name}", inner)
             select line,
    };
}
