/*
 * store.c - keeps values by name.
 */
#include <stdio.h>
#include "store.h"

#define LIMIT 10
#define MAX(a, b) \
    ((a) > (b) ? (a) : (b))

struct store {
    int size;
    char *name;
};

typedef struct entry {
    int key;
} entry_t;

typedef int (*callback)(int);

enum colour { RED, GREEN };

union bits { int a; float b; };

static int counter = 0;
static const char *names[] = {
    "one",
    "two",
};

int store_size(struct store *s);

/* Makes a store with this name, which is copied: the caller keeps its own. */
struct store *store_new(const char *name)
{
    return NULL;
}

#ifdef DEBUG
static void debug(void) {
}
#endif

int **(*weird(void))(int) { return 0; }
