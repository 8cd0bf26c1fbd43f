#ifndef TOCHA_GENERATOR_H
#define TOCHA_GENERATOR_H
/* Random generators: a Philox key and the next free counter (invariant 8). A stream is the same on
 * every device, so a generator belongs to none. Functions take NULL for the default generator. */
#include <stdint.h>

typedef struct Generator Generator;

/* A generator of its own, seeded as a session is; NULL with an error recorded. Not counted: whoever
 * made it frees it when no call is under way with it. */
Generator *generator_new(void);
void generator_free(Generator *g);

/* Starts the stream of that seed from its beginning. */
void generator_seed(Generator *g, uint64_t seed);
/* The same with a seed that nobody can foresee, which is returned. */
uint64_t generator_seed_anew(Generator *g);
uint64_t generator_initial_seed(Generator *g);
/* n counters of the stream, for the caller alone. */
void generator_take(Generator *g, uint64_t n, uint64_t *seed, uint64_t *offset);
void generator_state(Generator *g, uint64_t *seed, uint64_t *offset);
void generator_set_state(Generator *g, uint64_t seed, uint64_t offset);
#endif
