using Keelback.Postgres.Guardian;

namespace Keelback.Postgres.Tests;

public sealed class ProjectFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("kb-project-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void The_app_its_tests_and_a_command_below_one_solution_belong_together()
    {
        var solution = Folder("shop");
        File.WriteAllText(Path.Combine(solution, "Shop.slnx"), "");
        var app = Folder("shop/src/Shop");
        File.WriteAllText(Path.Combine(app, "Shop.csproj"), "");

        Assert.Equal(
            (solution, solution, solution),
            (ProjectFolder.Of(app), ProjectFolder.Of(Folder("shop/tests/Shop.Tests/bin/Debug")), ProjectFolder.Of(solution)));
    }

    [Fact]
    public void A_worktree_is_a_project_of_its_own()
    {
        var worktree = Folder("shop/worktrees/fix");
        Directory.CreateDirectory(Path.Combine(_root, "shop", ".git"));
        File.WriteAllText(Path.Combine(worktree, ".git"), "gitdir: elsewhere");

        Assert.Equal(worktree, ProjectFolder.Of(Folder("shop/worktrees/fix/src")));
    }

    [Fact]
    public void Without_a_solution_the_nearest_project_counts()
    {
        var app = Folder("lone/app");
        File.WriteAllText(Path.Combine(app, "app.csproj"), "");

        Assert.Equal(app, ProjectFolder.Of(Folder("lone/app/bin/Debug")));
    }

    [Fact]
    public void Without_either_the_folder_itself_counts()
    {
        var plain = Folder("plain");

        Assert.Equal(plain, ProjectFolder.Of(plain));
    }

    [Fact]
    public void Two_projects_of_one_name_have_two_clusters() =>
        Assert.NotEqual(ClusterFolder.For("/home/ada/shop", "/state"), ClusterFolder.For("/home/bob/shop", "/state"));

    private string Folder(string path) => Directory.CreateDirectory(Path.Combine(_root, path)).FullName;
}
