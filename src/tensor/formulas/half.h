#ifndef TOCHA_FORMULA_HALF_H
#define TOCHA_FORMULA_HALF_H

/* float16 and bfloat16, held as their 16 bits, to and from float.
 *
 * Widening is exact. Narrowing rounds to nearest even, overflows to inf and keeps subnormals. A NaN
 * stays a NaN with its sign and the leading bits of its payload, and becomes quiet (but for that of
 * a bfloat16 that is widened, which are the upper bits of the float): bit for bit what the F16C
 * instructions do. Integer arithmetic only (but for one float addition that does the rounding of
 * subnormals), so all machines agree. */

#include "tensor/formulas/formula.h"

TOCHA_HD float f_from_f16(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t a = (uint32_t)(h & 0x7fffu) << 13;
    uint32_t normal = a + (112u << 23);
    uint32_t special = (a | 0x7f800000u) | (a > 0x0f800000u ? 0x00400000u : 0u);
    uint32_t small = f_bits_f32((float)(int32_t)(a >> 13) * 0x1p-24f);
    uint32_t u = a >= 0x0f800000u ? special : normal;
    u = a < 0x00800000u ? small : u;
    return f_from_bits_f32(u | sign);
}

TOCHA_HD uint16_t f_to_f16(float x) {
    uint32_t u = f_bits_f32(x);
    uint32_t a = u & 0x7fffffffu;
    uint32_t normal = (a - (112u << 23) + 0xfffu + ((a >> 13) & 1u)) >> 13;
    uint32_t small = f_bits_f32(f_from_bits_f32(a) + 0.5f) - 0x3f000000u;
    uint32_t nan = 0x7e00u | ((a >> 13) & 0x3ffu);
    uint32_t h = a < 0x38800000u ? small : normal;
    h = a >= 0x477ff000u ? 0x7c00u : h;
    h = a > 0x7f800000u ? nan : h;
    return (uint16_t)(h | ((u >> 16) & 0x8000u));
}

TOCHA_HD float f_from_bf16(uint16_t h) { return f_from_bits_f32((uint32_t)h << 16); }

TOCHA_HD uint16_t f_to_bf16(float x) {
    uint32_t u = f_bits_f32(x);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    uint32_t nan = (u >> 16) | 0x40u;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

#endif
