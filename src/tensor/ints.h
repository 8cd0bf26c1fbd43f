#ifndef TOCHA_INTS_H
#define TOCHA_INTS_H
/* Lists of sizes and the like, which somebody else owns. */
#include <stdint.h>

typedef struct Ints {
    const int64_t *v;
    int n;
} Ints;
#endif
