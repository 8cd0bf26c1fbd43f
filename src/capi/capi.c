/* The public C interface. */
#include "tocha/tocha.h"

#include <math.h>
#include <string.h>

#include "autograd/tape.h"
#include "cpu/cpu.h"
#include "tensor/op.h"

_Static_assert((int)TOCHA_FLOAT64 == DT_FLOAT64 && (int)TOCHA_FLOAT16 == DT_FLOAT16 &&
                   (int)TOCHA_INT64 == DT_INT64,
               "tocha_dtype follows DTYPES");

bool tocha_init(void) {
    static atomic_int started;
    return atomic_exchange(&started, 1) || cpu_start();
}

const char *tocha_version(void) { return TOCHA_VERSION; }

const char *tocha_error(void) { return error_message(); }

void tocha_clear_error(void) { error_clear(); }

static Tensor *call_one(const Op *op, const Arg *arg) {
    Tensor *out = NULL;
    int mark = scope_open();
    if (op_call(op, arg, &out)) {
        tensor_retain(out);
    }
    scope_close(mark, NULL);
    return out;
}

static bool call_many(const Op *op, const Arg *arg, Tensor **out) {
    int mark = scope_open();
    bool ok = op_call(op, arg, out);
    for (int k = 0; ok && k < op->n_outs; k++) {
        tensor_retain(out[k]);
    }
    scope_close(mark, NULL);
    return ok;
}

static Arg arg_public_number(const tocha_number *n) {
    switch (n->kind) {
    case TOCHA_INTEGER: return arg_int(n->value.i);
    case TOCHA_FLOATING: return arg_float(n->value.f);
    case TOCHA_COMPLEX_NUMBER: return arg_complex(n->value.parts);
    default: return arg_none();
    }
}

static Arg arg_public_device(tocha_device d) { return arg_device((Device){d.kind, d.index}); }

static Arg arg_public_string(const char *s) { return s ? arg_string(intern(s)) : arg_none(); }

tocha_tensor *tocha_from_data(const void *data, const int64_t *size, int dims, tocha_dtype dtype) {
    if (dims < 0 || dims > MAX_DIMS || (int)dtype < 0 || (int)dtype >= N_DTYPES) {
        return fail_null("from_data: expected 0 to %d dims and a dtype, got %d dims and dtype %d",
                         MAX_DIMS, dims, (int)dtype);
    }
    for (int i = 0; i < dims; i++) {
        if (size[i] < 0) {
            return fail_null("from_data: sizes must not be negative, got %lld", (long long)size[i]);
        }
    }
    int mark = scope_open();
    Tensor *t = tensor_new((int)dtype, (Device){DEVICE_CPU, 0}, (Ints){size, dims}, NULL);
    if (t) {
        memcpy(tensor_data(t), data, (size_t)t->numel * dtype_size(t->dtype));
        tensor_retain(t);
    }
    scope_close(mark, NULL);
    return t;
}

void tocha_free(tocha_tensor *t) { tensor_release(t); }

tocha_tensor *tocha_share(tocha_tensor *t) { return tensor_retain(t); }

int tocha_dims(const tocha_tensor *t) { return t->dim; }

int64_t tocha_size(const tocha_tensor *t, int dim) {
    dim += dim < 0 ? t->dim : 0;
    if (dim < 0 || dim >= t->dim) {
        fail("size: dim is out of range for a tensor of %d dims", t->dim);
        return -1;
    }
    return t->shape[dim];
}

int64_t tocha_numel(const tocha_tensor *t) { return t->numel; }

tocha_dtype tocha_dtype_of(const tocha_tensor *t) { return (tocha_dtype)t->dtype; }

tocha_device tocha_device_of(const tocha_tensor *t) {
    return (tocha_device){t->device.kind, t->device.index};
}

/* A contiguous CPU tensor of the same values, of the innermost scope; outside the graph. */
static Tensor *plain(const Tensor *t) {
    Tensor *x = tensor_detach(t);
    if (x && x->device.kind != DEVICE_CPU) {
        x = t_move(x, (Device){DEVICE_CPU, 0});
    }
    return t_contiguous(x);
}

bool tocha_to_data(const tocha_tensor *t, void *data, size_t bytes) {
    size_t wanted = (size_t)t->numel * dtype_size(t->dtype);
    if (bytes < wanted) {
        return fail("to_data: %zu bytes are needed, there is room for %zu", wanted, bytes);
    }
    int mark = scope_open();
    Tensor *x = plain(t);
    if (x && wanted) {
        memcpy(data, tensor_data(x), wanted);
    }
    scope_close(mark, NULL);
    return x != NULL;
}

double tocha_item(const tocha_tensor *t) {
    if (t->numel != 1) {
        fail("item: only a tensor of one element is a number, this one has %lld",
             (long long)t->numel);
        return NAN;
    }
    int mark = scope_open();
    Tensor *x = plain(t);
    double v = x ? element_get_float(tensor_data(x), x->dtype) : NAN;
    scope_close(mark, NULL);
    return v;
}

bool tocha_requires_grad(tocha_tensor *t, bool on) { return tensor_set_requires_grad(t, on); }

bool tocha_backward(tocha_tensor *t) {
    int mark = scope_open();
    bool ok = autograd_backward(&t, NULL, 1, NULL, 0, false, false);
    scope_close(mark, NULL);
    return ok;
}

tocha_tensor *tocha_grad(const tocha_tensor *t) { return tensor_retain(tensor_grad(t)); }

bool tocha_set_recording(bool on) {
    bool before = modes.recording;
    modes.recording = on;
    return before;
}

void tocha_manual_seed(uint64_t seed) { generator_seed(NULL, seed); }

tocha_generator *tocha_generator_new(uint64_t seed) {
    Generator *g = generator_new();
    if (g) {
        generator_seed(g, seed);
    }
    return g;
}

void tocha_generator_free(tocha_generator *g) { generator_free(g); }

#include "tocha_ops.inc"
