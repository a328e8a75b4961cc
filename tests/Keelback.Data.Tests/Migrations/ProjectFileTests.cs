namespace Keelback.Data.Tests;

public sealed class ProjectFileTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("keelback-projects-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void The_nearest_project_above_the_working_directory_is_taken()
    {
        Write("Outer.csproj", "");
        Write("app/Shop.Api.csproj", "");
        var inside = _root.CreateSubdirectory("app/Models/Orders").FullName;

        var project = ProjectFile.Find(null, inside, "Shop.Api");

        Assert.Equal(("Shop.Api.csproj", "Shop.Api", "Shop.Api"), (project.Name, project.Assembly, project.Namespace));
    }

    [Fact]
    public void A_named_folder_wins_and_its_names_are_read()
    {
        Write("a/A.csproj", "");
        Write("b/My-Shop.csproj", "<PropertyGroup><AssemblyName>shop</AssemblyName></PropertyGroup>");

        var project = ProjectFile.Find("../b", Path.Combine(_root.FullName, "a"), "A");

        Assert.Equal(("shop", "My_Shop"), (project.Assembly, project.Namespace));
    }

    [Fact]
    public void Of_several_projects_in_a_folder_the_apps_own_is_taken()
    {
        Write("Shop.csproj", "");
        Write("Shop.Tests.csproj", "");

        Assert.Equal("Shop.csproj", ProjectFile.Find(null, _root.FullName, "Shop").Name);
        var refused = Assert.Throws<KeelbackException>(() => ProjectFile.Find(null, _root.FullName, "Other"));
        Assert.Equal("KB1114", refused.Code);
    }

    [Fact]
    public void The_line_to_add_follows_the_projects_own_way()
    {
        Write("p/P.csproj", "<ItemGroup><ProjectReference Include=\"../../src/Keelback/Keelback.csproj\" /></ItemGroup>");
        Write("n/N.csproj", "<ItemGroup><PackageReference Include=\"Keelback\" /></ItemGroup>");

        Assert.Equal(
            """<ProjectReference Include="../../src/Keelback.Data.Design/Keelback.Data.Design.csproj" Condition="'$(Configuration)' == 'Debug'" />""",
            ProjectFile.Find("p", _root.FullName, "P").ReferenceTo("Keelback.Data.Design"));
        Assert.StartsWith(
            """<PackageReference Include="Keelback.Data.Design" Version="0.""",
            ProjectFile.Find("n", _root.FullName, "N").ReferenceTo("Keelback.Data.Design"));
    }

    private void Write(string path, string content)
    {
        var file = new FileInfo(Path.Combine(_root.FullName, path));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, $"<Project Sdk=\"Microsoft.NET.Sdk\">{content}</Project>");
    }
}
