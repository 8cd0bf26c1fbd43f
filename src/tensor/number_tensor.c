/* Numbers as tensors; apart from number.c, which backends have a copy of. */
#include "tensor/number.h"
#include "tensor/op.h"

Tensor *number_tensor(Arg number) {
    switch (number.kind) {
    case ARG_COMPLEX: return tensor_number_complex(number_complex(number));
    case ARG_FLOAT: return tensor_number(number.f);
    default: return tensor_number_int(number.i);
    }
}

Tensor *number_times(Arg number, Tensor *t) {
    return number_is(number, 1) ? t : t_mul(t, number_tensor(number));
}
