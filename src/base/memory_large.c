#include <stdint.h>

#include "base/memory_internal.h"

/* A free block holds its own list entries: one list a class, newest first, because what was freed
 * last is still in the caches, and one over all, by age, because the oldest are given back first.
 */
typedef struct LargeBlock {
    struct LargeBlock *next, *prev;
    struct LargeBlock *newer, *older;
    unsigned cls;
} LargeBlock;

static LargeBlock *newest_of_class[N_CLASSES];
static LargeBlock *newest, *oldest;

static void unlink_block(LargeBlock *b) {
    if (b->prev) {
        b->prev->next = b->next;
    } else {
        newest_of_class[b->cls] = b->next;
    }
    if (b->next) {
        b->next->prev = b->prev;
    }
    if (b->newer) {
        b->newer->older = b->older;
    } else {
        newest = b->older;
    }
    if (b->older) {
        b->older->newer = b->newer;
    } else {
        oldest = b->newer;
    }
}

void *large_take(unsigned cls) {
    LargeBlock *b = newest_of_class[cls];
    if (b) {
        unlink_block(b);
    }
    return b;
}

void large_give(void *p, unsigned cls) {
    LargeBlock *b = p;
    LargeBlock *next = newest_of_class[cls];
    *b = (LargeBlock){.next = next, .older = newest, .cls = cls};
    if (next) {
        next->prev = b;
    }
    newest_of_class[cls] = b;
    if (newest) {
        newest->newer = b;
    } else {
        oldest = b;
    }
    newest = b;
}

void large_trim(size_t held) {
    while (oldest && system_held() > held) {
        LargeBlock *b = oldest;
        unlink_block(b);
        system_put(b, class_bytes(b->cls));
    }
}
