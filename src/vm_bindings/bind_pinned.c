/* Pinned memory: host memory that GPUs reach without a copy in between. */
#include "autograd/tape.h"
#include "vm_bindings/bind.h"

static const Backend *backend_now(void) {
    return backend_of((Device){DEVICE_CUDA, device_current_index});
}

/* owner: where it is noted that the memory has gone, while its tensor is in the making. */
static void pinned_free(Storage *s) {
    bool *gone = s->owner;
    const Backend *b = backend_now();
    if (b) {
        b->pinned_release(s->data, s->bytes);
    }
    if (gone) {
        *gone = true;
    }
}

static bool is_pinned(const Tensor *t) { return t->storage->release == pinned_free; }

static bool run_pin(void *ctx, Tensor **out) {
    Tensor *t = ctx;
    const Backend *b = backend_now();
    size_t bytes = (size_t)t->numel * dtype_size(t->dtype);
    bool gone = false;
    void *p = b && b->pinned_alloc ? b->pinned_alloc(bytes) : NULL;
    Tensor *pinned =
        p ? tensor_foreign(t->dtype, tensor_shape(t), p, bytes, pinned_free, &gone) : NULL;
    if (p && !pinned && !gone) {
        b->pinned_release(p, bytes);
    }
    if (pinned) {
        pinned->storage->owner = NULL;
    }
    out[0] = pinned ? t_copy_(pinned, tensor_detach(t), false) : NULL;
    return out[0] || bind_name_failure("pin_memory");
}

static int pin_memory(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "pin_memory");
    if (t->device.kind != DEVICE_CPU) {
        return bind_error(L, "pin_memory: only tensors on the CPU can be pinned, this one is on %s",
                          device_text(t->device));
    }
    if (is_pinned(t)) {
        lua_settop(L, 1);
        return 1;
    }
    Box *box = bind_push_box(L);
    bind_run(L, run_pin, t, &box, 1);
    return 1;
}

static int query_pinned(lua_State *L) {
    lua_pushboolean(L, is_pinned(lua_check_tensor(L, 1, "is_pinned")));
    return 1;
}

static const luaL_Reg methods[] = {
    {"pin_memory", pin_memory}, {"is_pinned", query_pinned}, {NULL, NULL}};

void bind_pinned(lua_State *L) { bind_methods(L, methods); }
