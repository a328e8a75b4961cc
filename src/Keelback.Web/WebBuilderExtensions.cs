using System.Text.Json;
using System.Text.Json.Serialization;
using Keelback.Web;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Keelback;

/// <summary>The web ground on a <see cref="KeelbackBuilder"/>.</summary>
public static class WebBuilderExtensions
{
    /// <summary>Adds strict JSON input, problem documents, security headers, and mail.</summary>
    /// <remarks>
    /// Safe to call twice: services register once, and configurations apply in order. The app's JSON settings get enums by
    /// their camel-case names; Kestrel stops naming itself, and takes bodies up to <see cref="WebOptions.MaxBodyBytes"/>.
    /// </remarks>
    public static KeelbackBuilder AddWeb(this KeelbackBuilder builder, Action<WebOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;

        var isFirst = services.All(s => s.ServiceType != typeof(BodyReader));
        if (isFirst)
        {
            services.AddOptions<WebOptions>().BindConfiguration("Keelback:Web").ValidateOnStart();
            services.AddOptions<MailOptions>().BindConfiguration("Keelback:Mail").ValidateOnStart();
        }

        if (configure is not null) services.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<WebOptions>, WebOptionsValidator>());

        services.TryAddSingleton(TimeProvider.System);
        if (!isFirst) return builder;

        services.AddSingleton<BodyReader>();
        services.AddSingleton<StrictJson>();
        services.TryAddSingleton(MailSender.Choose);
        services.Configure<JsonOptions>(o => o.SerializerOptions.Converters.Add(
            new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false)));
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<WebOptions>>((kestrel, web) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = web.Value.MaxBodyBytes;
        });

        return builder;
    }
}
