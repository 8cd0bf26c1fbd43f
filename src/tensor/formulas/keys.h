#ifndef TOCHA_FORMULA_KEYS_H
#define TOCHA_FORMULA_KEYS_H
/* Elements as keys: unsigned numbers of the same order, in as many bits as the element has. -0 has
 * the key of 0, and every nan the largest one. Floats are given by their bits. */
#include "tensor/formulas/formula.h"

TOCHA_HD uint64_t f_key_u8(uint8_t v) { return v; }
TOCHA_HD uint64_t f_key_i8(int8_t v) { return (uint8_t)v ^ 0x80u; }
TOCHA_HD uint64_t f_key_i16(int16_t v) { return (uint16_t)v ^ 0x8000u; }
TOCHA_HD uint64_t f_key_i32(int32_t v) { return (uint32_t)v ^ 0x80000000u; }
TOCHA_HD uint64_t f_key_i64(int64_t v) { return (uint64_t)v ^ (UINT64_C(1) << 63); }

/* Floats of `bits` bits order like sign and magnitude; inf is the magnitude of infinity. */
TOCHA_HD uint64_t f_key_float(uint64_t v, int bits, uint64_t inf) {
    uint64_t sign = UINT64_C(1) << (bits - 1), all = sign | (sign - 1), magnitude = v & (sign - 1);
    uint64_t key = (v & sign) && magnitude ? ~v & all : magnitude | sign;
    return magnitude > inf ? all : key;
}

TOCHA_HD uint64_t f_key_f16(uint16_t v) { return f_key_float(v, 16, 0x7c00); }
TOCHA_HD uint64_t f_key_bf16(uint16_t v) { return f_key_float(v, 16, 0x7f80); }
/* The same in 32 bits and without branches, of which more fit into a vector. */
TOCHA_HD uint64_t f_key_f32(uint32_t v) {
    uint32_t magnitude = v & 0x7fffffffu, negative = 0u - (v >> 31);
    uint32_t key = magnitude ? v ^ (negative | 0x80000000u) : 0x80000000u;
    return (int32_t)magnitude > 0x7f800000 ? 0xffffffffu : key;
}
TOCHA_HD uint64_t f_key_f64(uint64_t v) { return f_key_float(v, 64, UINT64_C(0x7ff) << 52); }

#endif
