#include "tensor/generator.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/random.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool seeded;
static uint64_t key, next;

/* A session that asks for no seed gets one of its own. */
static void seed_if_needed(void) {
    if (seeded) {
        return;
    }
    if (getrandom(&key, sizeof key, GRND_NONBLOCK) != sizeof key) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        key = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec;
    }
    key >>= 1; /* fits a Lua integer, so that initial_seed() can be given back */
    next = 0;
    seeded = true;
}

void generator_set_state(uint64_t seed, uint64_t offset) {
    pthread_mutex_lock(&lock);
    key = seed;
    next = offset;
    seeded = true;
    pthread_mutex_unlock(&lock);
}

void generator_seed(uint64_t seed) { generator_set_state(seed, 0); }

void generator_state(uint64_t *seed, uint64_t *offset) { generator_take(0, seed, offset); }

uint64_t generator_initial_seed(void) {
    uint64_t seed, offset;
    generator_state(&seed, &offset);
    return seed;
}

void generator_take(uint64_t n, uint64_t *seed, uint64_t *offset) {
    pthread_mutex_lock(&lock);
    seed_if_needed();
    *seed = key;
    *offset = next;
    next += n;
    pthread_mutex_unlock(&lock);
}
