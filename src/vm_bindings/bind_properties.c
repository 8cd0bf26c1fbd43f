/* The fields of tensors that are no methods: x.shape, x.grad, x.T. */
#include <string.h>

#include "autograd/tape.h"
#include "vm_bindings/bind.h"
#include "vm_bindings/node_box.h"

static void get_shape(lua_State *L, Tensor *t) { bind_push_shape(L, t->shape, t->dim); }
static void get_dtype(lua_State *L, Tensor *t) { lua_pushstring(L, dtype_name(t->dtype)); }
static void get_device(lua_State *L, Tensor *t) { lua_pushstring(L, device_text(t->device)); }

static void get_grad(lua_State *L, Tensor *t) {
    (void)t;
    Box *box = bind_push_box(L);
    box->t = tensor_retain(tensor_grad(lua_check_tensor(L, 1, "grad")));
    if (!box->t) {
        lua_pushnil(L);
    }
}

static void get_requires_grad(lua_State *L, Tensor *t) {
    lua_pushboolean(L, tensor_requires_grad(t));
}
static void get_is_leaf(lua_State *L, Tensor *t) { lua_pushboolean(L, tensor_is_leaf(t)); }
static void get_ndim(lua_State *L, Tensor *t) { lua_pushinteger(L, t->dim); }

static void get_retains_grad(lua_State *L, Tensor *t) {
    lua_pushboolean(L, tensor_retains_grad(t));
}
static void get_version(lua_State *L, Tensor *t) {
    lua_pushinteger(L, atomic_load_explicit(&t->storage->version, memory_order_relaxed));
}

static void get_grad_fn(lua_State *L, Tensor *t) {
    (void)t;
    Node **place = node_box_push(L);
    bool ok = true;
    Node *n = tape_node_for(lua_check_tensor(L, 1, "grad_fn"), "grad_fn", &ok);
    if (!ok) {
        bind_raise(L);
    }
    if (n && n->op) {
        node_retain(n);
        *place = n;
    } else {
        lua_pushnil(L);
    }
}

static bool run_transposed(void *ctx, Tensor **out) {
    Tensor *t = ctx;
    int64_t dims[MAX_DIMS];
    for (int i = 0; i < t->dim; i++) {
        dims[i] = t->dim - 1 - i;
    }
    out[0] = t_permute(t, (Ints){dims, t->dim});
    return out[0] != NULL;
}

static void get_T(lua_State *L, Tensor *t) {
    (void)t;
    Box *box = bind_push_box(L);
    bind_run(L, run_transposed, lua_check_tensor(L, 1, "T"), &box, 1);
}

static bool run_adjoint(void *ctx, Tensor **out) {
    out[0] = t_adjoint(ctx);
    return out[0] != NULL;
}

static void push_adjoint(lua_State *L, const char *who) {
    Box *box = bind_push_box(L);
    bind_run(L, run_adjoint, lua_check_tensor(L, 1, who), &box, 1);
}

static bool run_turned(void *ctx, Tensor **out) {
    out[0] = t_transpose(ctx, -2, -1);
    return out[0] != NULL;
}

static void get_mT(lua_State *L, Tensor *t) {
    if (t->dim < 2) {
        bind_error(L, "mT: the tensor must have at least 2 dims, got shape %s",
                   shape_text(tensor_shape(t)));
    }
    Box *box = bind_push_box(L);
    bind_run(L, run_turned, lua_check_tensor(L, 1, "mT"), &box, 1);
}

static void get_mH(lua_State *L, Tensor *t) {
    (void)t;
    push_adjoint(L, "mH");
}

static void get_H(lua_State *L, Tensor *t) {
    if (t->dim != 2) {
        bind_error(L, "H: only a matrix has it, this one has shape %s; use mH",
                   shape_text(tensor_shape(t)));
    }
    push_adjoint(L, "H");
}

static bool run_data(void *ctx, Tensor **out) {
    out[0] = tensor_detach(ctx);
    return out[0] || bind_name_failure("data");
}

static void get_data(lua_State *L, Tensor *t) {
    (void)t;
    Box *box = bind_push_box(L);
    bind_run(L, run_data, lua_check_tensor(L, 1, "data"), &box, 1);
}

static void get_itemsize(lua_State *L, Tensor *t) {
    lua_pushinteger(L, (lua_Integer)dtype_size(t->dtype));
}

static void get_nbytes(lua_State *L, Tensor *t) {
    lua_pushinteger(L, t->numel * (lua_Integer)dtype_size(t->dtype));
}

static void get_is_cpu(lua_State *L, Tensor *t) {
    lua_pushboolean(L, t->device.kind == DEVICE_CPU);
}
static void get_is_cuda(lua_State *L, Tensor *t) {
    lua_pushboolean(L, t->device.kind == DEVICE_CUDA);
}

static const struct {
    const char *name;
    void (*get)(lua_State *L, Tensor *t);
} properties[] = {{"shape", get_shape},
                  {"dtype", get_dtype},
                  {"device", get_device},
                  {"grad", get_grad},
                  {"requires_grad", get_requires_grad},
                  {"is_leaf", get_is_leaf},
                  {"grad_fn", get_grad_fn},
                  {"retains_grad", get_retains_grad},
                  {"_version", get_version},
                  {"ndim", get_ndim},
                  {"T", get_T},
                  {"mT", get_mT},
                  {"mH", get_mH},
                  {"H", get_H},
                  {"data", get_data},
                  {"itemsize", get_itemsize},
                  {"nbytes", get_nbytes},
                  {"is_cpu", get_is_cpu},
                  {"is_cuda", get_is_cuda}};

bool bind_push_property(lua_State *L, const char *name) {
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        if (strcmp(properties[i].name, name) == 0) {
            bind_enter(L);
            properties[i].get(L, lua_check_tensor(L, 1, name));
            return true;
        }
    }
    return false;
}

int bind_set_property(lua_State *L) {
    const char *name = lua_tostring(L, 2);
    Tensor *t = lua_check_tensor(L, 1, name);
    bool ok;
    bind_enter(L);
    if (strcmp(name, "grad") == 0) {
        ok = tensor_set_grad(t, lua_isnil(L, 3) ? NULL : lua_check_tensor(L, 3, "grad"));
    } else if (strcmp(name, "requires_grad") == 0) {
        ok = tensor_set_requires_grad(t, lua_toboolean(L, 3));
    } else {
        return bind_error(
            L, "tensor: there is no field \"%s\" to set; settable: grad, requires_grad", name);
    }
    return ok || bind_name_failure(name) ? 0 : bind_raise(L);
}
