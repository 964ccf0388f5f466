package org.example.store;

import java.util.Map;

/**
 * Keeps values by name.
 */
@Deprecated
public class Store<T> extends Base implements Closeable {
    private static final int LIMIT = 10;
    private final Map<String, T> items;

    public Store(Map<String, T> items) {
        this.items = items;
    }

    /** Returns a value. */
    @Override
    public T load(String name) {
        return items.get(name);
    }

    enum Colour { RED, GREEN }

    interface Listener {
        void changed(String name);
    }

    record Pair(int left, int right) {}

    @interface Marker {
        String value();
    }
}
