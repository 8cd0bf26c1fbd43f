/* ctc_loss: one sequence or a batch, reduced. */
#include "tensor/compose_error.h"
#include "tensor/loss.h"
#include "tensor/widen.h"

Tensor *compose_ctc_loss(const Arg *a, Tensor **out) {
    (void)out;
    Tensor *probs = a[0].t, *targets = a[1].t, *steps = a[2].t, *lengths = a[3].t;
    Reduction r = loss_reduction("ctc_loss", a[5].s);
    if (r == REDUCTION_BAD) {
        return NULL;
    }
    if (!dtype_is_float(probs->dtype) || (probs->dim != 2 && probs->dim != 3)) {
        return fail_null(
            "ctc_loss: log_probs must be (T, N, C) or (T, C) of a float dtype, got %s of "
            "shape %s",
            dtype_name(probs->dtype), shape_text(tensor_shape(probs)));
    }
    bool single = probs->dim == 2;
    if (single && (targets->dim != 1 || steps->numel != 1 || lengths->numel != 1)) {
        return fail_null(
            "ctc_loss: for log_probs (T, C) targets must be a vector and the lengths one "
            "each, got shapes %s, %s and %s",
            shape_text(tensor_shape(targets)), shape_text(tensor_shape(steps)),
            shape_text(tensor_shape(lengths)));
    }
    Tensor *x = widened(single ? t_unsqueeze(probs, 1) : probs);
    if (single || steps->dim == 0) {
        steps = t_reshape(steps, INTS(steps->numel));
        lengths = t_reshape(lengths, INTS(lengths->numel));
    }
    if (single) {
        targets = t_unsqueeze(targets, 0);
    }
    Tensor *loss = t_ctc_losses(x, targets, steps, lengths, a[4].i, a[6].b);
    if (!loss) {
        return fail_as_caller("ctc_losses", "ctc_loss");
    }
    if (r == REDUCTION_MEAN) {
        loss = t_div(loss, t_clamp(t_cast(lengths, loss->dtype), arg_int(1), arg_none()));
    }
    if (single) {
        loss = t_squeeze(loss, INTS(0));
    }
    return rounded(loss_reduced(loss, r), probs->dtype);
}
