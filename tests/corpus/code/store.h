#ifndef STORE_H
#define STORE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a store. */
struct store *store_open(const char *path);
void store_close(struct store *s);

typedef struct {
    int a;
} options;

#ifdef __cplusplus
}
#endif
#endif
