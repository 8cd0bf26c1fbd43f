#ifndef TOCHA_KERNELS_ELEMENTWISE_H
#define TOCHA_KERNELS_ELEMENTWISE_H
/* The inner loops of the elementwise family, compiled once per instruction set.
 *
 * A dense loop is an IterLoop whose operands lie without gaps: each stride is the size of an
 * element, or, where a table says so, 0 for an input whose one element serves all. Outputs may be
 * the same memory as an input, element for element, but must not overlap it otherwise. Loops are
 * found by the dtype of the inputs; NULL: that dtype has none of its own. float16 and bfloat16 have
 * none but for casts from and to float32: they are widened on the way (cpu/dense.h). */
#include "cpu/kernels/isa_name.h"
#include "tensor/iter.h"

/* One input. */
typedef enum {
    EW_NEG,
    EW_ABS,
    EW_SIGN,
    EW_EXP,
    EW_LOG,
    EW_SQRT,
    EW_TANH,
    EW_SIGMOID,
    EW_RELU,
    EW_SIN,
    EW_COS,
    EW_SQUARE,
    EW_CUBE, /* of real floats */
    EW_RECIPROCAL,
    EW_FLOOR,
    EW_CEIL,
    EW_ROUND,
    EW_TRUNC,
    EW_BITWISE_NOT,
    EW_CONJ,  /* complex only */
    EW_SGN,   /* complex only */
    EW_ANGLE, /* of complex elements the output is real */
    EW_CLAMP, /* to [a, b] or [ia, ib] of the EwNumbers in ctx */
    EW_ISNAN, /* from here on the output is bool */
    EW_ISINF,
    EW_ISFINITE,
    EW_LOGICAL_NOT,
    N_EW_UNARY
} EwUnary;

/* Two inputs, of which one may have stride 0. */
typedef enum {
    EW_ADD,
    EW_ADD_SCALED, /* input + a * other, or ia * other; ctx is an EwNumbers */
    EW_SUB,
    EW_MUL,
    EW_DIV,
    EW_POW,
    EW_MAXIMUM,
    EW_MINIMUM,
    EW_FLOOR_DIVIDE,
    EW_REMAINDER,
    EW_FMOD,
    EW_TRUNC_DIVIDE,
    EW_BITWISE_AND,
    EW_BITWISE_OR,
    EW_BITWISE_XOR,
    EW_TANH_BACKWARD,
    EW_SIGMOID_BACKWARD,
    EW_RELU_BACKWARD,
    EW_EQ, /* from here on the output is bool */
    EW_NE,
    EW_LT,
    EW_LE,
    EW_LOGICAL_AND,
    EW_LOGICAL_OR,
    EW_LOGICAL_XOR,
    N_EW_BINARY
} EwBinary;

/* Constants of a loop. */
typedef struct EwNumbers {
    double a, b;
    int64_t ia, ib;
} EwNumbers;

enum { EW_WIDTHS = 5 };
/* Loops that only move elements go by their size: 1, 2, 4, 8 or 16 bytes. */
static inline int ew_width(size_t size) { return __builtin_ctz((unsigned)size); }

typedef IterLoop *EwRow[N_DTYPES];

typedef struct EwTable {
    const EwRow *unary, *binary;
    const EwRow *cast;      /* cast[from][to] */
    IterLoop *const *where; /* by width: condition, input, other; the last two may be stride 0 */
    IterLoop *const *fill;  /* by width: no input; ctx is the element */
} EwTable;

ISA_DECLARE(const EwTable, ew_table);

#endif
