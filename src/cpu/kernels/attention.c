#include "cpu/kernels/attention.h"

#include <math.h>

#include "cpu/kernels/isa_name.h"
#include "cpu/kernels/vector.h"
#include "tensor/formulas/explog.h"

#define T       float
#define EXP     f_exp_f32
#define LOG     f_log_f32
#define NAME(x) x##_f32
#include "attention_type.inc.c"
#undef T
#undef EXP
#undef LOG
#undef NAME

#define T       double
#define EXP     f_exp_f64
#define LOG     f_log_f64
#define NAME(x) x##_f64
#include "attention_type.inc.c"

#define KERNELS(type)                                                                             \
    {                                                                                             \
        mask_##type, start_##type, weigh_##type, shrink_##type, finish_##type, subtrahend_##type, \
            back_##type, add_turned_##type                                                        \
    }

extern const AttentionTable ISA_NAME(attention_table);
const AttentionTable ISA_NAME(attention_table) = {{KERNELS(f32), KERNELS(f64)}};
