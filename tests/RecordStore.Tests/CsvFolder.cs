using System.Text;

namespace RecordStore.Tests;

/// <summary>A folder of eleven small files that fit together, until a test spoils one.</summary>
internal sealed class CsvFolder
{
    private const string PersonEnd = ",,,,,,,";

    public CsvFolder()
    {
        Path = Directory.CreateTempSubdirectory("record-store-").FullName;
        Write("artist.csv", "artist_id,name\n1,AC/DC\n2,\"Guns, Roses\"\n3,Motörhead\n");
        Write("genre.csv", "genre_id,name\n1,Rock\n2,Jazz\n");
        Write("media_type.csv", "media_type_id,name\n1,MPEG audio file\n");
        Write("employee.csv",
            "employee_id,last_name,first_name,title,reports_to,birth_date,hire_date,address,city,state,country,postal_code,phone,fax,email\n" +
            $"1,Peacock,Jane,Sales,2,1973-08-29 00:00:00,2002-04-01 00:00:00{PersonEnd},jane@store.example\n" + // her manager comes later in the file
            $"2,Edwards,Nancy,Manager,,1958-12-08 00:00:00,2002-05-01 00:00:00{PersonEnd},nancy@store.example\n");
        Write("playlist.csv", "playlist_id,name\n1,Music\n2,Music\n");
        Write("album.csv", "album_id,title,artist_id\n1,Let There Be Rock,1\n2,Ace of Spades,3\n");
        Write("customer.csv",
            "customer_id,first_name,last_name,company,address,city,state,country,postal_code,phone,fax,email,support_rep_id\n" +
            "1,Luís,Gonçalves,,\"Av. Faria Lima, 2170\",São Paulo,SP,Brazil,12227-000,,,luis@customers.example,1\n");
        Write("track.csv",
            "track_id,name,album_id,media_type_id,genre_id,composer,milliseconds,bytes,unit_price\n" +
            "1,Go Down,1,1,1,\"Young, Scott\",331180,10847611,0.99\n" +
            "2,\"Spanish moss-\"\"A sound portrait\"\"-Spanish moss\",2,1,2,,215196,7032162,1.99\n");
        Write("invoice.csv",
            "invoice_id,customer_id,invoice_date,billing_address,billing_city,billing_state,billing_country,billing_postal_code,total\n" +
            "7,1,2021-01-01 10:30:00,,,,,,2.98\n");
        Write("playlist_track.csv", "playlist_id,track_id\n1,1\n1,2\n2,1\n");
        Write("invoice_line.csv", "invoice_line_id,invoice_id,track_id,unit_price,quantity\n1,7,1,0.99,1\n2,7,2,1.99,1\n");
    }

    public string Path { get; }

    /// <summary>Rows in all eleven files, as the constructor writes them.</summary>
    public const int Rows = 21;

    public CsvFolder Write(string file, string content) => Write(file, Encoding.UTF8.GetBytes(content));

    public CsvFolder Write(string file, byte[] content)
    {
        File.WriteAllBytes(System.IO.Path.Combine(Path, file), content);
        return this;
    }

    public CsvFolder Append(string file, string lines)
    {
        File.AppendAllText(System.IO.Path.Combine(Path, file), lines);
        return this;
    }

    public CsvFolder Remove(string file)
    {
        File.Delete(System.IO.Path.Combine(Path, file));
        return this;
    }

    public void Delete() => Directory.Delete(Path, recursive: true);
}
