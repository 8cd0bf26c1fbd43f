#include "formulas_normal.h"
#include "formulas_unary.h"
#include "tensor/formulas/normal.h"

static void normal_f32_loop(const uint32_t *restrict bits, float *restrict out, size_t pairs) {
    for (size_t i = 0; i < pairs; i++) f_box_muller_f32(bits[2 * i], bits[2 * i + 1], out + 2 * i);
}

static void normal_f64_loop(const uint64_t *restrict bits, double *restrict out, size_t pairs) {
    for (size_t i = 0; i < pairs; i++) f_box_muller_f64(bits[2 * i], bits[2 * i + 1], out + 2 * i);
}

extern const NormalLoops ISA_NAME(normal_loops)[];
const NormalLoops ISA_NAME(normal_loops)[] = {{normal_f32_loop, normal_f64_loop}};
