#include "cpu/gemm_int.h"

#include "cpu/kernels/isa_name.h"

#define T    uint8_t
#define WIDE uint32_t
#define ROW  row_1
#include "cpu/kernels/gemm_int_body.inc.c"
#undef T
#undef ROW

#define T   uint16_t
#define ROW row_2
#include "cpu/kernels/gemm_int_body.inc.c"
#undef T
#undef ROW

#define T   uint32_t
#define ROW row_4
#include "cpu/kernels/gemm_int_body.inc.c"
#undef T
#undef WIDE
#undef ROW

#define T    uint64_t
#define WIDE uint64_t
#define ROW  row_8
#include "cpu/kernels/gemm_int_body.inc.c"

const IntKernels ISA_NAME(gemm_int) = {row_1, row_2, row_4, row_8};
