using System;

namespace Acme.Storage
{
    /// <summary>
    /// Keeps values by name.
    /// </summary>
    [Serializable]
    public class Store<T> : IStore
    {
        private const int Limit = 10;
        private readonly int size;

        public Store(int size)
        {
            this.size = size;
        }

        public int Count { get; set; }

        public T this[int i] => default;

        public event EventHandler Changed;

        public async Task<T> Load(string name)
        {
            return default;
        }

        public static bool operator ==(Store<T> a, Store<T> b) => true;
    }

    public interface IStore { int Count { get; } }

    public struct Point { public int X; }

    public enum Colour { Red, Green }

    public record Pair(int Left, int Right);

    public delegate void Handler(object sender);
}
