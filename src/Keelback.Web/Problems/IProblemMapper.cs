using Microsoft.AspNetCore.Http;

namespace Keelback.Web;

/// <summary>Turns exceptions of one kind into problem documents. Register any number as singletons; the first that answers wins.</summary>
public interface IProblemMapper
{
    /// <summary>The problem for this exception, or null when it is none of this mapper's; then the next is asked, and at last it is a 500.</summary>
    Problem? Map(Exception exception, HttpContext http);
}
