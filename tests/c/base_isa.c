#include "base/isa.h"

#include <string.h>

#include "base/log.h"
#include "base_check.h"

static char warned[256];
static int warnings;

static void keep_warning(const char *message) {
    snprintf(warned, sizeof warned, "%s", message);
    warnings++;
}

/* What this CPU and this build allow, found without the module under test. */
static Isa best(void) {
#if defined(__x86_64__) && defined(TOCHA_ISA_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return ISA_AVX512;
    }
#endif
#if defined(__x86_64__) && defined(TOCHA_ISA_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return ISA_AVX2;
    }
#endif
    return ISA_BASELINE;
}

static Isa lower(Isa a, Isa b) { return a < b ? a : b; }

static bool expect(Isa asked, Isa expected) {
    warn_set_hook(keep_warning);
    CHECK(isa_current() == expected, "got %s", isa_name(isa_current()));
    CHECK(warnings == (asked != expected), "%d warnings: %s", warnings, warned);
    CHECK(isa_current() == expected && warnings <= 1, "the second call differs");
    return true;
}

static bool forced_baseline(void) { return expect(ISA_BASELINE, ISA_BASELINE); }
static bool forced_avx2(void) { return expect(ISA_AVX2, lower(ISA_AVX2, best())); }
static bool forced_avx512(void) { return expect(ISA_AVX512, lower(ISA_AVX512, best())); }
static bool unforced(void) { return expect(best(), best()); }

static bool unknown(void) {
    warn_set_hook(keep_warning);
    CHECK(isa_current() == best(), "got %s", isa_name(isa_current()));
    CHECK(warnings == 1 && strstr(warned, "got \"avx9\""), "%d warnings: %s", warnings, warned);
    return true;
}

static bool override(void) {
    return in_child("TOCHA_ISA", "baseline", forced_baseline) &&
           in_child("TOCHA_ISA", "avx2", forced_avx2) &&
           in_child("TOCHA_ISA", "avx512", forced_avx512) && in_child("TOCHA_ISA", "", unforced) &&
           in_child("TOCHA_ISA", "avx9", unknown);
}

static bool names(void) {
    CHECK(strcmp(isa_name(ISA_BASELINE), "baseline") == 0, "%s", isa_name(ISA_BASELINE));
    CHECK(strcmp(isa_name(ISA_AVX2), "avx2") == 0, "%s", isa_name(ISA_AVX2));
    CHECK(strcmp(isa_name(ISA_AVX512), "avx512") == 0, "%s", isa_name(ISA_AVX512));
    CHECK(strcmp(isa_name(N_ISAS), "unknown") == 0, "%s", isa_name(N_ISAS));
    return true;
}

int main(void) {
    static const Case cases[] = {{"isa_override", override}, {"isa_names", names}};
    return RUN_CASES(cases);
}
