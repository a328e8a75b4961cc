using System.Text;

namespace Keelback.Jobs.Generator.Tests;

/// <summary>What callers write, and the payload and the edges it becomes.</summary>
public class CallTests
{
    private static readonly Job<FileRef> s_fetch = Media.Fetch(new Uri("https://keelback.test/a.png"));

    [Fact]
    public void A_value_is_written_into_the_payload()
    {
        var resize = Media.Resize(new("a.png"), 64);

        Assert.Equal("""{"file":{"path":"a.png"},"size":64}""", Payload(resize));
        Assert.Empty(resize.Bindings);
        Assert.Equal(("Media.Resize", typeof(Media)), (resize.Kind.Name, resize.Kind.DeclaredBy));
    }

    [Fact]
    public void The_result_of_another_job_is_an_edge_and_not_in_the_payload()
    {
        var resize = Media.Resize(s_fetch, 64);

        Assert.Equal("""{"size":64}""", Payload(resize));
        Assert.Equal([new JobBinding("file", s_fetch)], resize.Bindings);
    }

    [Fact]
    public void Jobs_in_a_lambda_and_their_gathered_results_fit_an_array()
    {
        int[] sizes = [1, 2];
        var thumbs = sizes.Select(size => Media.Resize(s_fetch, size)).ToList();

        var sheet = Media.ContactSheet(Job.All(thumbs));

        var gather = Assert.Single(sheet.Bindings);
        Assert.Equal(("thumbs", JobKind.Gather), (gather.Parameter, gather.Source.Kind));
        Assert.Equal(thumbs, gather.Source.Bindings.Select(binding => binding.Source));
    }

    [Fact]
    public void A_list_in_a_result_fits_an_array_and_an_array_fits_an_interface()
    {
        var sheet = Media.ContactSheet(Media.ResizeAll(s_fetch, [1, 2]));
        var all = Media.ResizeAll(new FileRef("a"), Media.Sizes("small"));

        Assert.Equal("thumbs", Assert.Single(sheet.Bindings).Parameter);
        Assert.Equal("sizes", Assert.Single(all.Bindings).Parameter);
        Assert.Equal("""{"file":{"path":"a"}}""", Payload(all));
    }

    [Fact]
    public void Interfaces_collection_expressions_and_null_stand_beside_a_result()
    {
        IReadOnlyList<int> sizes = [3];
        var lists = new[] { Media.ResizeAll(s_fetch, sizes), Media.ResizeAll(s_fetch, [3]), Media.ResizeAll(s_fetch, new List<int> { 3 }) };

        Assert.All(lists, job => Assert.Equal("""{"sizes":[3]}""", Payload(job)));
        Assert.All(lists, job => Assert.Equal("file", Assert.Single(job.Bindings).Parameter));
        Assert.Equal("""{"sizes":null}""", Payload(Media.ResizeAll(s_fetch, null!)));
    }

    [Fact]
    public void A_method_group_describes_a_call_of_plain_values()
    {
        DateOnly[] days = [new(2026, 1, 31), new(2026, 2, 1)];

        var jobs = days.Select(Etl.List);

        Assert.Equal(["""{"day":"2026-01-31"}""", """{"day":"2026-02-01"}"""], jobs.Select(Payload));
    }

    [Fact]
    public void What_is_left_out_is_written_as_its_default_beside_values_and_beside_results()
    {
        const string Rest = "\"text\":null,\"format\":\"Webp\",\"scale\":1.5,\"on\":null}";

        Assert.Equal("{\"file\":{\"path\":\"a\"}," + Rest, Payload(Media.Label(new("a"))));
        Assert.Equal("{" + Rest, Payload(Media.Label(s_fetch)));
        Assert.Equal("{\"text\":\"hi\",\"format\":\"Png\",\"scale\":2,\"on\":\"2026-01-31\"}",
            Payload(Media.Label(s_fetch, "hi", Format.Png, 2, new DateOnly(2026, 1, 31))));
        Assert.Equal("{\"text\":null,\"format\":\"Png\",\"scale\":1.5,\"on\":null}", Payload(Media.Label(s_fetch, null, format: Format.Png)));
    }

    [Fact]
    public void Dictionaries_and_other_interfaces_are_written_by_the_serializer()
    {
        var weights = new Dictionary<string, int> { ["a"] = 1 };

        Assert.Equal("""{"tags":["x"],"weights":{"a":1},"id":7}""", Payload(Media.Tag(["x"], weights, 7)));
        Assert.Equal("""{"tags":["x"],"weights":{"a":1}}""", Payload(Media.Tag(["x"], weights, Media.Count())));
    }

    [Fact]
    public void Text_is_escaped_as_the_serializer_does()
    {
        const string Text = "\"ä\u2028\n<b>";

        var plain = Media.Label(new("a"), Text, on: null);
        var beside = Media.Label(s_fetch, Text);

        Assert.Contains($"\"text\":{System.Text.Json.JsonSerializer.Serialize(Text)}", Payload(plain));
        Assert.Contains($"\"text\":{System.Text.Json.JsonSerializer.Serialize(Text)}", Payload(beside));
    }

    [Fact]
    public void A_job_of_any_kind_may_come_first()
    {
        var after = Media.Resize(new("a"), 1).After(Media.Sweeping(), s_fetch);

        Assert.Equal([null, null], after.Bindings.Select(binding => binding.Parameter));
    }

    [Fact]
    public void An_empty_argument_is_an_error_where_it_is_made()
    {
        var error = Assert.Throws<KeelbackException>(() => Media.Resize(Empty<FileRef>(), 1));

        Assert.Equal("KB1250: The argument 'file' is an Arg that holds neither a value nor a job: it was made by new() or default. " +
            "Pass a value of the parameter's type, or the job whose result it is.", error.Message);
    }

    [Fact]
    public void A_job_that_is_null_is_an_error_where_it_is_passed() =>
        Assert.Throws<ArgumentNullException>(() => Media.Resize((Job<FileRef>)null!, 1));

    private static Arg<T> Empty<T>() => Array.Find<Arg<T>>([], _ => true);

    private static string Payload(Job job) => Encoding.UTF8.GetString(job.Payload.Span);
}
