#include "tensor/op_check.h"

#include <string.h>

#include "base/memory.h"
#include "tensor/number.h"

static bool takes_list(const Param *p) {
    return p->type == PARAM_TENSORS || p->type == PARAM_INDICES;
}

static bool is_tensor_param(const Param *p) { return p->type <= PARAM_INDICES; }

/* False where an entry is missing because of an error before, or (index lists may have holes)
 * altogether. */
static bool list_is_whole(const Op *op, const Param *param, const Arg *list) {
    for (int k = 0; k < list->count; k++) {
        if (list->ts[k]) {
            continue;
        }
        if (error_message() != NULL) {
            return false;
        }
        if (param->type == PARAM_TENSORS) {
            return fail("%s: entry %d of %s is NULL", op->name, k + 1, param->name);
        }
    }
    return true;
}

/* Copies the arguments, filling in defaults for those not given. */
static bool take_arguments(const Op *op, const Arg *arg, Prepared *p, int *n_in) {
    *n_in = 0;
    for (int i = 0; i < op->n_params; i++) {
        const Param *param = &op->params[i];
        p->arg[i] = arg[i];
        if (arg[i].kind == ARG_NONE) {
            if (!param->optional) {
                return fail("%s: %s is missing; %s(%s)", op->public_name, param->name,
                            op->public_name, op->sig);
            }
            p->arg[i] = param->fallback;
        } else if (arg[i].kind == ARG_TENSOR && !arg[i].t) {
            return error_message() != NULL ? false : fail("%s: %s is NULL", op->name, param->name);
        } else if (takes_list(param) && !list_is_whole(op, param, &arg[i])) {
            return false;
        }
        if (is_tensor_param(param)) {
            *n_in += takes_list(param) ? p->arg[i].count : 1;
        }
    }
    return true;
}

static bool flatten_tensors(Prepared *p, int n_in) {
    Call *c = &p->call;
    c->in = p->few;
    if (n_in > PREPARED_TENSORS) {
        c->in = mem_alloc((size_t)n_in * sizeof *c->in);
        if (!c->in) {
            c->in = p->few;
            c->n_in = 0;
            return false;
        }
    }
    c->n_in = n_in;
    int n = 0;
    for (int i = 0; i < c->op->n_params && n < n_in; i++) {
        const Param *param = &c->op->params[i];
        if (takes_list(param)) {
            for (int k = 0; k < p->arg[i].count; k++) {
                c->in[n++] = p->arg[i].ts[k];
            }
        } else if (is_tensor_param(param)) {
            c->in[n++] = p->arg[i].kind == ARG_TENSOR ? p->arg[i].t : NULL;
        }
    }
    return true;
}

void op_prepared_free(Prepared *p) {
    if (p->call.in != p->few && p->call.in) {
        mem_free(p->call.in, (size_t)p->call.n_in * sizeof *p->call.in);
    }
}

/* The device of the call: that of its tensors (a 0-dim CPU tensor goes along with any); for an op
 * without tensor parameters that which a device argument names. */
static bool find_device(Call *c) {
    if (c->op->flags & OPF_ANYWHERE) {
        c->device = c->in[0]->device;
        return true;
    }
    bool found = false;
    const Tensor *first = NULL;
    for (int i = 0; i < c->n_in; i++) {
        const Tensor *t = c->in[i];
        if (!t || (t->dim == 0 && t->device.kind == DEVICE_CPU)) {
            continue;
        }
        if (found && !device_equal(t->device, c->device)) {
            return fail("%s: tensors on different devices: %s (%s) and %s (%s); move one with "
                        ":to(\"%s\")",
                        c->op->public_name, device_text(c->device), shape_text(tensor_shape(first)),
                        device_text(t->device), shape_text(tensor_shape(t)),
                        device_text(c->device));
        }
        if (!found) {
            found = true;
            first = t;
            c->device = t->device;
        }
    }
    for (int i = 0; !c->op->tensor_params && i < c->op->n_params; i++) {
        if (c->op->params[i].type == PARAM_DEVICE) {
            c->device = device_of_arg(c->arg[i]);
        }
    }
    return true;
}

/* What one operand contributes to promotion: 0-dim tensors and numbers yield to tensors of the
 * same kind, as in PyTorch. */
typedef struct Promotion {
    int tensor, scalar, number;
} Promotion;

/* A float number counts as one of the default dtype, but is cast from what it is. */
static int number_dtype(const Op *op, const Tensor *t) {
    return dtype_is_float(t->dtype) && op->id != OP_cast ? dtype_default() : t->dtype;
}

static void promotion_add(Promotion *p, const Op *op, const Tensor *t) {
    bool number = tensor_is_number(t);
    int *slot = number ? &p->number : t->dim == 0 ? &p->scalar : &p->tensor;
    int dtype = number ? number_dtype(op, t) : t->dtype;
    *slot = *slot == DT_NONE ? dtype : dtype_promote(*slot, dtype);
}

/* Of a weak complex operand a float tensor takes the kind alone, and keeps its precision. */
static int promotion_combine(int strong, int weak) {
    if (strong == DT_NONE || weak == DT_NONE) {
        return strong == DT_NONE ? weak : strong;
    }
    if (dtype_is_float(strong) && dtype_is_complex(weak)) {
        return dtype_complex_of(strong);
    }
    return dtype_kinds[weak] > dtype_kinds[strong] ? dtype_promote(strong, weak) : strong;
}

static bool fail_mixed(const Op *op, const char *name_a, int a, const char *name_b, int b) {
    return fail("%s: %s is %s and %s is %s; convert one with :to(\"%s\")", op->public_name, name_a,
                dtype_name(a), name_b, dtype_name(b), dtype_name(dtype_promote(a, b)));
}

static bool fail_dtype(const Op *op, const char *name, int dtype) {
    uint32_t set = op->dtypes & DTSET_ALL;
    return fail("%s: %s must be %s, got %s", op->public_name, name, dtype_set_text(set),
                dtype_name(dtype));
}

/* Finds c->dtype, the dtype that all Tensor and Tensors arguments are to have. */
static bool find_dtype(Prepared *p) {
    Call *c = &p->call;
    const Op *op = c->op;
    Promotion promotion = {DT_NONE, DT_NONE, DT_NONE};
    const char *first_name = NULL, *number_name = NULL;
    int first = DT_NONE;
    if (op->flags & OPF_MIXED) {
        c->dtype = c->in[0]->dtype;
        return op->dtypes & 1u << c->dtype ? true : fail_dtype(op, op->params[0].name, c->dtype);
    }
    for (int i = 0, n = 0; i < op->n_params && n < c->n_in; i++) {
        const Param *param = &op->params[i];
        if (!is_tensor_param(param)) {
            continue;
        }
        int count = takes_list(param) ? p->arg[i].count : 1;
        bool counts = param->type == PARAM_TENSOR || param->type == PARAM_TENSORS;
        for (int k = 0; k < count; k++) {
            const Tensor *t = c->in[n++];
            if (!counts || !t) {
                continue;
            }
            if (!(op->flags & OPF_PROMOTE) && !tensor_is_number(t)) {
                if (first_name && first != t->dtype) {
                    return fail_mixed(op, first_name, first, param->name, t->dtype);
                }
                first_name = param->name;
                first = t->dtype;
            } else if (tensor_is_number(t)) {
                number_name = param->name;
            }
            promotion_add(&promotion, op, t);
        }
    }
    if (!(op->flags & OPF_PROMOTE) && first_name && number_name) {
        if (dtype_is_inexact(promotion.number) &&
            dtype_kinds[promotion.number] > dtype_kinds[first]) {
            return fail_mixed(op, first_name, first, number_name, promotion.number);
        }
        promotion.number = DT_NONE; /* the tensors' dtype holds it */
    }
    int dtype =
        promotion_combine(promotion_combine(promotion.tensor, promotion.scalar), promotion.number);
    if (dtype == DT_NONE) {
        c->dtype = DT_NONE;
        return true;
    }
    if ((op->dtypes & DTSET_TO_FLOAT) && !dtype_is_inexact(dtype)) {
        dtype = dtype_default();
    }
    c->dtype = dtype;
    return op->dtypes & 1u << dtype ? true : fail_dtype(op, op->params[0].name, dtype);
}

/* A complex scalar goes with complex tensors; where there are none, infer looks at it. */
static bool scalars_fit(const Call *c) {
    for (int i = 0; i < c->op->n_params && c->dtype != DT_NONE; i++) {
        const Arg *a = &c->arg[i];
        if (a->kind == ARG_COMPLEX && !number_fits(c->op, c->op->params[i].name, *a, c->dtype)) {
            return false;
        }
    }
    return true;
}

/* Numbers wrapped for this one call are rewritten where they stand. */
static void number_convert(Tensor *t, int dtype) {
    void *p = tensor_data(t);
    if (dtype_is_complex(t->dtype)) {
        element_set_complex(p, dtype, element_get_complex(p, t->dtype));
    } else if (dtype_is_float(t->dtype)) {
        element_set_float(p, dtype, element_get_float(p, t->dtype));
    } else {
        element_set_int(p, dtype, element_get_int(p, t->dtype));
    }
    t->dtype = (uint8_t)dtype;
}

/* Whether nobody else holds the tensor or its memory, as a node does that has saved it, and a
 * number of dtype fits there. */
static bool can_rewrite(const Tensor *t, int dtype) {
    return t->storage->bytes >= dtype_size(dtype) &&
           atomic_load_explicit(&t->refs, memory_order_relaxed) == 1 &&
           atomic_load_explicit(&t->storage->refs, memory_order_relaxed) == 1;
}

static Tensor *as_dtype(Tensor *t, int dtype) {
    if (t->dtype == dtype) {
        return t;
    }
    if (tensor_is_number(t) && can_rewrite(t, dtype)) {
        number_convert(t, dtype);
        return t;
    }
    return t_cast(t, dtype);
}

static Tensor *as_index(const Op *op, const Param *param, Tensor *t) {
    if (t->dtype == DT_INT64) {
        return t;
    }
    if (param->type == PARAM_INDICES && t->dtype == DT_BOOL) {
        return t;
    }
    if (dtype_kinds[t->dtype] != KIND_INT) {
        return fail_null("%s: %s must be an integer tensor%s, got %s", op->public_name, param->name,
                         param->type == PARAM_INDICES ? " or a bool mask" : "",
                         dtype_name(t->dtype));
    }
    return t_cast(t, DT_INT64);
}

static Tensor *as_mask(const Op *op, const Param *param, Tensor *t) {
    if (t->dtype == DT_BOOL) {
        return t;
    }
    return fail_null("%s: %s must be a bool tensor, got %s; compare first, as in x:gt(0)",
                     op->public_name, param->name, dtype_name(t->dtype));
}

/* A CPU tensor without dims, such as a number, reaches these kernels of other devices as it is
 * (KernelCall.on_host). */
static bool may_stay_on_host(const Op *op, const Tensor *t) {
    bool takes = op->op_class == CLASS_BINARY || op->op_class == CLASS_COMPARE;
    return takes && t->dim == 0 && t->device.kind == DEVICE_CPU;
}

/* The dtype in which t reaches the kernel. A number or 0-dim tensor that yields to a half type is
 * not rounded to it: arithmetic computes in float anyway, and numbers on the host reach kernels of
 * other devices as they are. */
static int kernel_dtype(const Call *c, const Tensor *t) {
    bool half = c->dtype == DT_FLOAT16 || c->dtype == DT_BFLOAT16;
    bool wide = half && t->dim == 0 && t->dtype != c->dtype && c->op->op_class == CLASS_BINARY &&
                t->device.kind == DEVICE_CPU;
    return wide ? DT_FLOAT32 : c->dtype;
}

static Tensor *convert_one(const Call *c, const Param *param, Tensor *t) {
    if (param->written && t->dtype != c->dtype && !(c->op->flags & OPF_MIXED)) {
        return fail_null("%s: %s is written and must be %s, got %s", c->op->public_name,
                         param->name, dtype_name(c->dtype), dtype_name(t->dtype));
    }
    switch (param->type) {
    case PARAM_INDEX:
    case PARAM_INDICES: t = as_index(c->op, param, t); break;
    case PARAM_MASK: t = as_mask(c->op, param, t); break;
    default:
        t = c->op->flags & OPF_MIXED ? t : as_dtype(t, kernel_dtype(c, t));
        if (!t) {
            op_name_error(c->op->public_name);
        }
    }
    if (!t || (c->op->flags & OPF_ANYWHERE) || device_equal(t->device, c->device) ||
        may_stay_on_host(c->op, t)) {
        return t;
    }
    return t_move(t, c->device);
}

static __attribute__((noinline)) bool convert_all(Prepared *p) {
    Call *c = &p->call;
    const Op *op = c->op;
    for (int i = 0, n = 0; n < c->n_in; i++) {
        const Param *param = &op->params[i];
        if (!is_tensor_param(param)) {
            continue;
        }
        int count = takes_list(param) ? p->arg[i].count : 1;
        for (int k = 0; k < count; k++, n++) {
            if (!c->in[n]) {
                continue;
            }
            c->in[n] = convert_one(c, param, c->in[n]);
            if (!c->in[n]) {
                return false;
            }
            if (!takes_list(param)) {
                p->arg[i].t = c->in[n];
            }
        }
    }
    return true;
}

/* Mostly there is nothing to do: then not even registers are saved. */
bool op_convert(Prepared *p) { return !p->converts || convert_all(p); }

/* Bindings hand a user's 0 over as this; it is out of every range and prints as what it was. */
static long long as_user_counts(int64_t v) {
    return v == POSITION_ZERO ? 0 : v >= 0 ? (long long)v + 1 : (long long)v;
}

static bool normalize_dim(const Call *c, const Param *param, int64_t *d) {
    int dim = c->n_in && c->in[0] ? c->in[0]->dim : 0;
    int size = dim + (param->type == PARAM_NEWDIM);
    int range = size ? size : 1;
    if (*d >= range || *d < -range) {
        return fail("%s: %s must be an integer in [-%d, %d] (%d dim%s), got %lld",
                    c->op->public_name, param->name, range, range, dim, dim == 1 ? "" : "s",
                    as_user_counts(*d));
    }
    *d += *d < 0 ? range : 0;
    return true;
}

static bool normalize_dims(Prepared *p, int i, int64_t *dims) {
    const Param *param = &p->call.op->params[i];
    Arg *a = &p->arg[i];
    if (a->count > MAX_DIMS) {
        return fail("%s: %s has %d entries, at most %d dims exist", p->call.op->public_name,
                    param->name, a->count, MAX_DIMS);
    }
    uint32_t seen = 0;
    for (int k = 0; k < a->count; k++) {
        dims[k] = a->ints[k];
        if (!normalize_dim(&p->call, param, &dims[k])) {
            return false;
        }
        if (seen & 1u << dims[k]) {
            return fail("%s: %s names dim %d twice", p->call.op->public_name, param->name,
                        (int)dims[k] + 1);
        }
        seen |= 1u << dims[k];
    }
    a->ints = dims;
    return true;
}

static bool normalize(Prepared *p) {
    const Op *op = p->call.op;
    int lists = 0;
    for (int i = 0; i < op->n_params; i++) {
        Arg *a = &p->arg[i];
        if (a->kind == ARG_NONE) {
            continue;
        }
        switch (op->params[i].type) {
        case PARAM_DIM:
        case PARAM_NEWDIM:
            if (!normalize_dim(&p->call, &op->params[i], &a->i)) {
                return false;
            }
            break;
        case PARAM_DIMS:
            if (!normalize_dims(p, i, p->dims[lists++ % PREPARED_DIM_LISTS])) {
                return false;
            }
            break;
        case PARAM_SHAPE:
            if (a->count > MAX_DIMS) {
                return fail("%s: %s has %d dims, at most %d are supported", op->public_name,
                            op->params[i].name, a->count, MAX_DIMS);
            }
            break;
        default: break;
        }
    }
    return true;
}

/* The common case of find_device and find_dtype: tensors of one dtype on one device, to which
 * nothing has to be done. False: look closer. */
static bool is_uniform(const Call *c) {
    const Tensor *first = c->in[0];
    if (!(c->op->flags & OPF_PLAIN) || !first || !(c->op->dtypes & 1u << first->dtype)) {
        return false;
    }
    for (int i = 0; i < c->n_in; i++) {
        const Tensor *t = c->in[i];
        if (!t || t->dtype != first->dtype || !device_equal(t->device, first->device) ||
            (t->flags & (TENSOR_NUMBER | TENSOR_BATCHED))) {
            return false;
        }
    }
    return true;
}

/* take_arguments and flatten_tensors in one walk, for rows whose tensors are all single ones.
 * False: take the long way, which finds the words for what is wrong. */
static bool take_plain(const Op *op, const Arg *arg, Prepared *p) {
    int n = 0;
    for (int i = 0; i < op->n_params; i++) {
        const Param *param = &op->params[i];
        bool given = arg[i].kind != ARG_NONE;
        bool hard = arg[i].kind == ARG_COMPLEX || (arg[i].kind == ARG_TENSOR && !arg[i].t);
        if (given ? hard : !param->optional) {
            return false;
        }
        p->arg[i] = given ? arg[i] : param->fallback;
        if (param->type == PARAM_TENSOR) {
            p->few[n++] = arg[i].kind == ARG_TENSOR ? arg[i].t : NULL;
        }
    }
    p->call.in = p->few;
    p->call.n_in = n;
    return true;
}

bool op_prepare(const Op *op, const Arg *arg, Prepared *p) {
    int n_in;
    p->call.op = op;
    p->call.arg = p->arg;
    p->call.in = NULL;
    p->call.n_in = 0;
    p->call.device = (Device){DEVICE_CPU, 0};
    bool plain = (op->flags & OPF_PLAIN) && take_plain(op, arg, p);
    if (!plain && (!take_arguments(op, arg, p, &n_in) || !flatten_tensors(p, n_in))) {
        return false;
    }
    p->converts = op->op_class != CLASS_COMPOSE && !(plain && is_uniform(&p->call));
    if (p->converts && !(find_device(&p->call) && find_dtype(p) && scalars_fit(&p->call))) {
        return false;
    }
    if (!p->converts && p->call.n_in && p->call.in[0]) {
        p->call.device = p->call.in[0]->device;
        p->call.dtype = p->call.in[0]->dtype;
    }
    return !(op->flags & OPF_DIMS) || normalize(p);
}

bool op_position(const Call *c, int arg, int64_t size, int64_t *pos) {
    int64_t v = c->arg[arg].i;
    if (v >= size || v < -size) {
        return fail("%s: %s must be in [1, %lld] or [-%lld, -1] (size %lld), got %lld",
                    c->op->public_name, c->op->params[arg].name, (long long)size, (long long)size,
                    (long long)size, as_user_counts(v));
    }
    *pos = v < 0 ? v + size : v;
    return true;
}

bool op_ints(const Call *c, int arg, int n, int64_t *out) {
    const Arg *a = &c->arg[arg];
    if (a->count != n && a->count != 1) {
        return fail("%s: %s must have 1 or %d numbers, got %d", c->op->public_name,
                    c->op->params[arg].name, n, a->count);
    }
    for (int i = 0; i < n; i++) {
        out[i] = a->ints[a->count == 1 ? 0 : i];
    }
    return true;
}

void spec_set(OutSpec *s, int dtype, Ints shape) {
    s->dtype = dtype;
    s->dim = shape.n;
    s->strided = false;
    s->offset = 0;
    if (shape.n > 0) { /* no dims may come without a place */
        memcpy(s->shape, shape.v, (size_t)shape.n * sizeof *s->shape);
    }
}
