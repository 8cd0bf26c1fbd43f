#ifndef TOCHA_GENERATOR_H
#define TOCHA_GENERATOR_H
/* The default random generator: a Philox key and the next free counter (invariant 8). */
#include <stdint.h>

/* Starts the stream of that seed from its beginning. */
void generator_seed(uint64_t seed);
uint64_t generator_initial_seed(void);
/* n counters of the stream, for the caller alone. */
void generator_take(uint64_t n, uint64_t *seed, uint64_t *offset);
void generator_state(uint64_t *seed, uint64_t *offset);
void generator_set_state(uint64_t seed, uint64_t offset);
#endif
