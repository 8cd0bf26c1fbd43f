#include "base/philox.h"

#include <string.h>

#include "base_check.h"

typedef struct {
    uint64_t key, counter_lo, counter_hi;
    uint32_t expected[4];
} Vector;

/* The known answers that the authors of the generator publish with their library. */
static const Vector vectors[] = {
    {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {0x299f31d0a4093822,
     0x85a308d3243f6a88,
     0x0370734413198a2e,
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static bool known_answers(void) {
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const Vector *v = &vectors[i];
        uint32_t out[4];
        philox4x32(v->key, v->counter_lo, v->counter_hi, out);
        CHECK(memcmp(out, v->expected, sizeof out) == 0, "vector %zu gave %08x %08x %08x %08x", i,
              out[0], out[1], out[2], out[3]);
    }
    return true;
}

static bool mean_of_many(void) {
    enum { COUNT = 1 << 16 };
    double sum = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        uint32_t out[4];
        philox4x32(42, i, 0, out);
        sum += (double)out[0] + out[1] + out[2] + out[3];
    }
    double mean = sum / (4.0 * COUNT) / 4294967296.0;
    CHECK(mean > 0.497 && mean < 0.503, "mean %g", mean);
    return true;
}

int main(void) {
    static const Case cases[] = {{"philox_known_answers", known_answers},
                                 {"philox_mean", mean_of_many}};
    return RUN_CASES(cases);
}
