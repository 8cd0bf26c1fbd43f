#include "tensor/op.h"

Tensor *compose_max_pool2d(const Arg *arg, Tensor **out) {
    (void)out;
    Tensor *both[2];
    bool ok = t_max_pool2d_with_indices(arg[0].t, arg_as_ints(arg[1]), arg_as_ints(arg[2]),
                                        arg_as_ints(arg[3]), arg_as_ints(arg[4]), arg[5].b, both);
    return ok ? both[0] : NULL;
}
