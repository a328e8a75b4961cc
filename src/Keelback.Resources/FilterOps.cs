namespace Keelback.Resources;

/// <summary>What a filter can ask besides equality (<c>name=x</c>) and membership (<c>name__in=x,y</c>), which every filter can.</summary>
[Flags]
public enum FilterOps
{
    /// <summary>Nothing besides.</summary>
    None = 0,

    /// <summary><c>__gt</c>, <c>__gte</c>, <c>__lt</c>, <c>__lte</c>; for numbers, dates and times.</summary>
    Range = 1,

    /// <summary><c>__contains</c> and <c>__startsWith</c>, without regard to case; for strings.</summary>
    Text = 2,

    /// <summary><c>__isNull=true</c> or <c>false</c>; for members that can be null.</summary>
    Null = 4,
}
