#include "cpu/kernels/gather.h"

#include "cpu/kernels/isa_name.h"
#include "tensor/formulas/complex.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE bool all_good_by(const int64_t *x, int64_t step, int64_t n, int64_t size,
                                      uint64_t wrap) {
    uint64_t base = INDEX_BASE, last = (uint64_t)size - 1;
    uint64_t signs = 0; /* of a bad offset, or of what it leaves to the last */
    for (int64_t i = 0; i < n; i++) {
        uint64_t v = (uint64_t)x[i * step], negative = 0 - (v >> 63);
        uint64_t offset = v + (negative & wrap) - (~negative & base);
        signs |= offset | (last - offset);
    }
    return signs >> 63 == 0;
}

static bool all_good(const int64_t *x, int64_t step, int64_t n, int64_t size, bool from_end) {
    uint64_t wrap = from_end ? (uint64_t)size : 0;
    return step == 1 ? all_good_by(x, 1, n, size, wrap) : all_good_by(x, step, n, size, wrap);
}

#define T       uint8_t
#define NAME(x) x##_8
#include "cpu/kernels/gather_body.inc.c"
#undef T
#undef NAME

#define T       uint16_t
#define NAME(x) x##_16
#include "cpu/kernels/gather_body.inc.c"
#undef T
#undef NAME

#define T       uint32_t
#define NAME(x) x##_32
#include "cpu/kernels/gather_body.inc.c"
#undef T
#undef NAME

#define T       uint64_t
#define NAME(x) x##_64
#include "cpu/kernels/gather_body.inc.c"
#undef T
#undef NAME

#define T       Complex128
#define NAME(x) x##_128
#include "cpu/kernels/gather_body.inc.c"
#undef T
#undef NAME

const GatherTable ISA_NAME(gather_table) = {all_good,
                                            {take_8, take_16, take_32, take_64, take_128}};
