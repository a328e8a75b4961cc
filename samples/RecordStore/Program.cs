using Keelback;
using RecordStore;
using RecordStore.Demo;
using RecordStore.Import;
using RecordStore.Pages;

var builder = WebApplication.CreateBuilder(args);
builder.AddKeelback<StoreDb>()
    .AddSettings<StoreSettings>("RecordStore")
    .AddCommand<ImportCommand>()
    .AddCommand<DemoCommand>();
builder.Services.AddScoped<ImportRunner>().AddScoped<Catalogue>().AddScoped<Orders>().AddScoped<HomeReader>();
builder.Services.AddRazorComponents(); // the first page

var app = builder.Build();
app.UseKeelback();

// The demo has no accounts: everyone may look and change. A shop would say .RequireAuthorization() here.
app.MapResource<ArtistResource>("/api/artists").AllowAnonymous();
app.MapResource<AlbumResource>("/api/albums").AllowAnonymous();
app.MapResource<TrackResource>("/api/tracks").AllowAnonymous();
app.MapResource<GenreResource>("/api/genres").AllowAnonymous();
app.MapResource<PlaylistResource>("/api/playlists").AllowAnonymous();
app.MapResource<CustomerResource>("/api/customers").AllowAnonymous();
app.MapResource<InvoiceResource>("/api/invoices").AllowAnonymous();
app.MapPost("/api/checkout", Checkout.Post).AllowAnonymous();

app.MapApiDocs().AllowAnonymous();

app.MapHome();
return await app.RunKeelbackAsync(args);
