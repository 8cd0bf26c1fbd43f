#include "tensor/generator.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/random.h>
#include <time.h>

#include "base/memory.h"

struct Generator {
    bool seeded;
    uint64_t key, next;
};

/* One lock for all: it is held for a few instructions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Generator standard;

static Generator *or_standard(Generator *g) { return g ? g : &standard; }

static void start(Generator *g, uint64_t seed, uint64_t offset) {
    g->key = seed;
    g->next = offset;
    g->seeded = true;
}

static uint64_t unforeseen(void) {
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec;
    }
    return seed >> 1; /* fits a Lua integer, so that initial_seed() can be given back */
}

Generator *generator_new(void) {
    Generator *g = mem_alloc(sizeof *g);
    if (g) {
        start(g, unforeseen(), 0);
    }
    return g;
}

void generator_free(Generator *g) { mem_free(g, sizeof *g); }

void generator_set_state(Generator *g, uint64_t seed, uint64_t offset) {
    pthread_mutex_lock(&lock);
    start(or_standard(g), seed, offset);
    pthread_mutex_unlock(&lock);
}

void generator_seed(Generator *g, uint64_t seed) { generator_set_state(g, seed, 0); }

uint64_t generator_seed_anew(Generator *g) {
    uint64_t seed = unforeseen();
    generator_seed(g, seed);
    return seed;
}

void generator_state(Generator *g, uint64_t *seed, uint64_t *offset) {
    generator_take(g, 0, seed, offset);
}

uint64_t generator_initial_seed(Generator *g) {
    uint64_t seed, offset;
    generator_state(g, &seed, &offset);
    return seed;
}

void generator_take(Generator *g, uint64_t n, uint64_t *seed, uint64_t *offset) {
    g = or_standard(g);
    pthread_mutex_lock(&lock);
    if (!g->seeded) { /* a session that asks for no seed gets one of its own */
        start(g, unforeseen(), 0);
    }
    *seed = g->key;
    *offset = g->next;
    g->next += n;
    pthread_mutex_unlock(&lock);
}
