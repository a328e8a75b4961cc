namespace System.Runtime.CompilerServices;

/// <summary>What records and init accessors need on netstandard2.0.</summary>
internal static class IsExternalInit;
