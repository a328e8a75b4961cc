using System.Runtime.InteropServices;

namespace Keelback.Jobs;

/// <summary>While a worker stops with patience: one more SIGTERM, or Ctrl+C, means at once.</summary>
internal sealed class SecondSignal : IDisposable
{
    private readonly PosixSignalRegistration[] _signals;

    public SecondSignal(Action atOnce)
    {
        void Handle(PosixSignalContext signal)
        {
            signal.Cancel = true;
            atOnce();
        }

        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle), PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle)];
    }

    public void Dispose()
    {
        foreach (var signal in _signals) signal.Dispose();
    }
}
