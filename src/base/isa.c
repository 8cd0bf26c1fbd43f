#include "base/isa.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char *const names[N_ISAS] = {"baseline", "avx2", "avx512"};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Isa chosen = ISA_BASELINE;

/* Whether the build holds the kernels and the CPU (and the system below it) runs them. */
static bool runs(Isa isa) {
    switch (isa) {
#if defined(__x86_64__) && defined(TOCHA_ISA_AVX2)
    case ISA_AVX2: return __builtin_cpu_supports("x86-64-v3");
#endif
#if defined(__x86_64__) && defined(TOCHA_ISA_AVX512)
    case ISA_AVX512: return __builtin_cpu_supports("x86-64-v4");
#endif
    default: return isa == ISA_BASELINE;
    }
}

static Isa best_up_to(Isa limit) {
    Isa isa = limit;
    while (!runs(isa)) {
        isa--;
    }
    return isa;
}

static void choose(void) {
    const Isa best = best_up_to(N_ISAS - 1);
    chosen = best;
    const char *wish = getenv("TOCHA_ISA");
    if (!wish || !*wish) {
        return;
    }
    for (Isa isa = ISA_BASELINE; isa < N_ISAS; isa++) {
        if (strcmp(wish, names[isa]) == 0) {
            chosen = best_up_to(isa);
            if (chosen != isa) {
                warn("TOCHA_ISA: %s is not supported by this CPU and build, using %s", wish,
                     names[chosen]);
            }
            return;
        }
    }
    warn("TOCHA_ISA: expected baseline, avx2 or avx512, got \"%s\", using %s", wish, names[best]);
}

Isa isa_current(void) {
    pthread_once(&once, choose);
    return chosen;
}

const char *isa_name(Isa isa) { return (unsigned)isa < N_ISAS ? names[isa] : "unknown"; }
