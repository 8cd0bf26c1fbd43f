#ifndef TOCHA_WHERE_H
#define TOCHA_WHERE_H
/* Where in the user's program something happened, for error texts. The engine knows no Lua: the
 * language binding sets where_hook for the duration of its calls. */
#include <stddef.h>
#include <stdint.h>

#include "base/tls.h"

typedef struct Where {
    int32_t source; /* from where_intern(); 0: unknown */
    int32_t line;
} Where;

typedef Where WhereFn(void);
extern THREAD_LOCAL WhereFn *where_hook;

static inline Where where_now(void) { return where_hook ? where_hook() : (Where){0, 0}; }

/* A small number for a source's name, the same for equal names; 0 when memory is short. */
int32_t where_intern(const char *name);
/* A copy of text that lives as long as the process, the same for equal texts; NULL when memory is
 * short. For words of which there are few. */
const char *intern(const char *text);
/* "train.lua:12", or "" where unknown; a text_buffer(). */
const char *where_text(Where w);
#endif
