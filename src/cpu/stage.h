#ifndef TOCHA_CPU_STAGE_H
#define TOCHA_CPU_STAGE_H
/* For kernels that want their operands as elements of the compute type (float for half types, else
 * the operand's own) one after another in row-major order: operands that are not so are copied. */
#include "tensor/backend.h"

enum { STAGE_MOST = 16 };

typedef struct Stage {
    struct {
        void *memory;
        size_t bytes;
        const View *result; /* where it is copied to at the end; NULL: nowhere */
    } copy[STAGE_MOST];
    int n;
    bool failed;
} Stage;

/* The elements of an operand; NULL where it was not given or memory ran out. */
const void *stage_in(Stage *s, const View *v);
/* Room for a result, uninitialised. */
void *stage_out(Stage *s, const View *v);
/* Room of that many bytes, given back at the end. */
void *stage_room(Stage *s, size_t bytes);
/* The size of an element of v once staged. */
size_t stage_size(const View *v);
/* Frees the copies, after writing back the results if ok; whether everything went well. */
bool stage_end(Stage *s, bool ok);
#endif
