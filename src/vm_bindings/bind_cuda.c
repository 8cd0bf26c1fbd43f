/* CUDA devices, their memory, streams and events: what lua/tocha/cuda.lua is made of. Devices are
 * given by number, as CUDA counts them. */
#include <string.h>

#include "base/cuda_driver.h"
#include "tensor/backend_load.h"
#include "tensor/settings.h"
#include "vm_bindings/bind_cuda.h"

/* What a stream or an event is in Lua. */
typedef struct Handle {
    void *p; /* NULL: a stream that is the device's own, or an event that was freed */
    Device device;
    bool timing;
} Handle;

static const char *const stream_type = "tocha.cuda.Stream", *const event_type = "tocha.cuda.Event";

const Backend *bind_check_cuda(lua_State *L, int idx, const char *who, Device *d) {
    lua_Integer index = bind_check_integer(L, idx, who, "the device");
    if (index < 0 || index > INT8_MAX) {
        bind_error(L, "%s: the device must be in [0, %d], got %lld", who, INT8_MAX,
                   (long long)index);
    }
    *d = (Device){DEVICE_CUDA, (int8_t)index};
    const Backend *b = backend_of(*d);
    if (!b) {
        bind_raise(L);
    }
    return b;
}

/* available(): true, or false and the end of a sentence on what is missing. */
static int available(lua_State *L) {
    const char *why;
    const Backend *b = backend_find(DEVICE_CUDA, &why);
    lua_pushboolean(L, b != NULL);
    if (b) {
        return 1;
    }
    lua_pushstring(L, why);
    return 2;
}

static int device_count(lua_State *L) {
    const char *why;
    const Backend *b = backend_find(DEVICE_CUDA, &why);
    lua_pushinteger(L, b ? b->device_count() : 0);
    return 1;
}

/* setting(name): whether it is on; setting(name, on) switches it. */
static int setting(lua_State *L) {
    static const char *const names[] = {[SETTING_CUDNN] = "cudnn.enabled",
                                        [SETTING_CUDNN_TF32] = "cudnn.allow_tf32",
                                        [SETTING_CUDNN_DETERMINISTIC] = "cudnn.deterministic",
                                        [SETTING_CUDNN_BENCHMARK] = "cudnn.benchmark",
                                        [SETTING_MATMUL_TF32] = "cuda.matmul.allow_tf32",
                                        [N_SETTINGS] = NULL};
    int which = luaL_checkoption(L, 1, NULL, names);
    lua_pushboolean(L, setting_get(which) != 0);
    if (!lua_isnone(L, 2)) {
        setting_set(which, lua_toboolean(L, 2));
    }
    return 1;
}

/* driver(): how many devices the driver finds, and what is missing. */
static int driver(lua_State *L) {
    const char *why;
    lua_pushinteger(L, cuda_driver_devices(&why));
    lua_pushstring(L, why);
    return 2;
}

/* module(): where the module lies, or nil. */
static int module(lua_State *L) {
    char path[4096];
    lua_pushstring(L, backend_module_path(path, sizeof path) ? path : NULL);
    return 1;
}

static void set_number(lua_State *L, const char *key, uint64_t v) {
    lua_pushinteger(L, (lua_Integer)v);
    lua_setfield(L, -2, key);
}

static int properties(lua_State *L) {
    Device d;
    DeviceInfo info;
    const Backend *b = bind_check_cuda(L, 1, "get_device_properties", &d);
    if (!b->device_info(d, &info)) {
        return bind_raise(L);
    }
    lua_newtable(L);
    lua_pushstring(L, info.name);
    lua_setfield(L, -2, "name");
    set_number(L, "major", (uint64_t)info.major);
    set_number(L, "minor", (uint64_t)info.minor);
    set_number(L, "multi_processor_count", (uint64_t)info.processors);
    set_number(L, "total_memory", info.memory);
    return 1;
}

static int current_device(lua_State *L) {
    lua_pushinteger(L, device_current_index);
    return 1;
}

static int set_device(lua_State *L) {
    Device d;
    bind_check_cuda(L, 1, "set_device", &d);
    device_current_index = d.index;
    return 0;
}

static int synchronize(lua_State *L) {
    Device d;
    const Backend *b = bind_check_cuda(L, 1, "synchronize", &d);
    return raise_if(L, !b->synchronize(d));
}

static int memory_stats(lua_State *L) {
    Device d;
    DeviceMemory m;
    const Backend *b = bind_check_cuda(L, 1, "memory_stats", &d);
    if (!b->memory_stats(d, &m)) {
        return bind_raise(L);
    }
    lua_newtable(L);
    set_number(L, "live", m.live);
    set_number(L, "peak", m.peak);
    set_number(L, "cached", m.cached);
    set_number(L, "largest_free", m.largest_free);
    set_number(L, "limit", m.limit);
    set_number(L, "allocs", m.allocs);
    set_number(L, "frees", m.frees);
    set_number(L, "device_allocs", m.device_allocs);
    set_number(L, "device_free", m.device_free);
    set_number(L, "device_total", m.device_total);
    return 1;
}

static int reset_peak(lua_State *L) {
    Device d;
    bind_check_cuda(L, 1, "reset_peak_memory_stats", &d)->memory_reset_peak(d);
    return 0;
}

static int empty_cache(lua_State *L) {
    Device d;
    const Backend *b = bind_check_cuda(L, 1, "empty_cache", &d);
    return raise_if(L, !b->memory_trim(d, 0));
}

static int set_limit(lua_State *L) {
    static const char *const who = "set_memory_limit";
    Device d;
    const Backend *b = bind_check_cuda(L, 1, who, &d);
    lua_Integer bytes = bind_check_integer(L, 2, who, "the limit");
    if (bytes < 0) {
        return bind_error(L, "%s: the limit must not be negative, got %lld", who, (long long)bytes);
    }
    return raise_if(L, !b->memory_limit(d, (size_t)bytes));
}

/* has_kernel(name): whether the op has a kernel for CUDA devices. */
static int has_kernel(lua_State *L) {
    const char *why;
    const Op *op = op_find(luaL_checkstring(L, 1));
    bool has = op && backend_find(DEVICE_CUDA, &why) && op_kernel(op, DEVICE_CUDA);
    lua_pushboolean(L, has);
    return 1;
}

static const BackendStreams *streams_of(Device d) { return backend_of(d)->streams; }

static Handle *push_handle(lua_State *L, const char *type, Device d) {
    Handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = (Handle){.device = d};
    luaL_setmetatable(L, type);
    return h;
}

static Handle *check_handle(lua_State *L, int idx, const char *type, const char *who) {
    Handle *h = luaL_testudata(L, idx, type);
    if (!h) {
        bind_error(L, "%s: expected a %s, got %s", who, type, bind_describe(L, idx));
    }
    return h;
}

/* The stream itself; a handle without one stands for the device's own. */
static void *stream_pointer(lua_State *L, Handle *h) {
    if (h->p) {
        return h->p;
    }
    const BackendStreams *s = streams_of(h->device);
    void *chosen = s->stream_current(h->device);
    s->stream_use(h->device, NULL);
    void *own = s->stream_current(h->device);
    s->stream_use(h->device, chosen);
    if (!own) {
        bind_raise(L);
    }
    return own;
}

/* stream(device, high_priority): a new one. */
static int stream_new(lua_State *L) {
    Device d;
    const Backend *b = bind_check_cuda(L, 1, "Stream", &d);
    Handle *h = push_handle(L, stream_type, d);
    h->p = b->streams->stream_new(d, lua_toboolean(L, 2));
    return h->p ? 1 : bind_raise(L);
}

static int stream_default(lua_State *L) {
    Device d;
    bind_check_cuda(L, 1, "default_stream", &d);
    push_handle(L, stream_type, d);
    return 1;
}

static int stream_free(lua_State *L) {
    Handle *h = luaL_checkudata(L, 1, stream_type);
    if (h->p) {
        streams_of(h->device)->stream_free(h->device, h->p);
        h->p = NULL;
    }
    return 0;
}

/* use_stream(stream): work of this thread goes there from now on. */
static int stream_use(lua_State *L) {
    Handle *h = check_handle(L, 1, stream_type, "stream");
    streams_of(h->device)->stream_use(h->device, h->p);
    return 0;
}

static int stream_synchronize(lua_State *L) {
    Handle *h = check_handle(L, 1, stream_type, "Stream:synchronize");
    void *p = stream_pointer(L, h);
    return raise_if(L, !streams_of(h->device)->stream_synchronize(h->device, p));
}

static int stream_query(lua_State *L) {
    bool done;
    Handle *h = check_handle(L, 1, stream_type, "Stream:query");
    void *p = stream_pointer(L, h);
    if (!streams_of(h->device)->stream_query(h->device, p, &done)) {
        return bind_raise(L);
    }
    lua_pushboolean(L, done);
    return 1;
}

static int stream_device(lua_State *L) {
    Handle *h = check_handle(L, 1, stream_type, "Stream:device");
    lua_pushstring(L, device_text(h->device));
    return 1;
}

/* record_stream(x, stream): x's memory is used by the stream. */
static int record_stream(lua_State *L) {
    Tensor *t = lua_check_tensor(L, 1, "record_stream");
    Handle *h = check_handle(L, 2, stream_type, "record_stream");
    if (!device_equal(t->device, h->device)) {
        return bind_error(L, "record_stream: the tensor is on %s, the stream on %s",
                          device_text(t->device), device_text(h->device));
    }
    void *p = stream_pointer(L, h);
    return raise_if(L, !streams_of(h->device)->stream_uses(h->device, p, t->storage->data));
}

/* event(device, timing): a new one. */
static int event_new(lua_State *L) {
    Device d;
    const Backend *b = bind_check_cuda(L, 1, "Event", &d);
    Handle *h = push_handle(L, event_type, d);
    h->timing = lua_toboolean(L, 2);
    h->p = b->streams->event_new(d, h->timing);
    return h->p ? 1 : bind_raise(L);
}

static int event_free(lua_State *L) {
    Handle *h = luaL_checkudata(L, 1, event_type);
    if (h->p) {
        streams_of(h->device)->event_free(h->device, h->p);
        h->p = NULL;
    }
    return 0;
}

static Handle *check_event(lua_State *L, int idx, const char *who) {
    Handle *h = check_handle(L, idx, event_type, who);
    if (!h->p) {
        bind_error(L, "%s: the event was freed", who);
    }
    return h;
}

/* The stream at idx or, where none is given, the device's current one. */
static void *optional_stream(lua_State *L, int idx, Handle *event, const char *who) {
    if (lua_isnoneornil(L, idx)) {
        return streams_of(event->device)->stream_current(event->device);
    }
    return stream_pointer(L, check_handle(L, idx, stream_type, who));
}

static int event_record(lua_State *L) {
    Handle *h = check_event(L, 1, "Event:record");
    void *stream = optional_stream(L, 2, h, "Event:record");
    return raise_if(L, !streams_of(h->device)->event_record(h->device, h->p, stream));
}

static int event_wait(lua_State *L) {
    Handle *h = check_event(L, 1, "Event:wait");
    void *stream = optional_stream(L, 2, h, "Event:wait");
    return raise_if(L, !streams_of(h->device)->event_wait(h->device, h->p, stream));
}

static int event_synchronize(lua_State *L) {
    Handle *h = check_event(L, 1, "Event:synchronize");
    return raise_if(L, !streams_of(h->device)->event_synchronize(h->device, h->p));
}

static int event_query(lua_State *L) {
    bool done;
    Handle *h = check_event(L, 1, "Event:query");
    if (!streams_of(h->device)->event_query(h->device, h->p, &done)) {
        return bind_raise(L);
    }
    lua_pushboolean(L, done);
    return 1;
}

static int event_elapsed(lua_State *L) {
    static const char *const who = "Event:elapsed_time";
    Handle *from = check_event(L, 1, who), *to = check_event(L, 2, who);
    double milliseconds;
    if (!from->timing || !to->timing) {
        return bind_error(L, "%s: both events must be made with {enable_timing = true}", who);
    }
    if (!streams_of(from->device)->event_elapsed(from->device, from->p, to->p, &milliseconds)) {
        return bind_raise(L);
    }
    lua_pushnumber(L, milliseconds);
    return 1;
}

static const luaL_Reg functions[] = {{"available", available},
                                     {"device_count", device_count},
                                     {"driver", driver},
                                     {"setting", setting},
                                     {"module", module},
                                     {"properties", properties},
                                     {"current_device", current_device},
                                     {"set_device", set_device},
                                     {"synchronize", synchronize},
                                     {"memory_stats", memory_stats},
                                     {"reset_peak", reset_peak},
                                     {"empty_cache", empty_cache},
                                     {"set_limit", set_limit},
                                     {"has_kernel", has_kernel},
                                     {"stream_new", stream_new},
                                     {"stream_default", stream_default},
                                     {"stream_use", stream_use},
                                     {"record_stream", record_stream},
                                     {"event_new", event_new},
                                     {NULL, NULL}};

static const luaL_Reg stream_methods[] = {{"synchronize", stream_synchronize},
                                          {"query", stream_query},
                                          {"device", stream_device},
                                          {NULL, NULL}};

static const luaL_Reg event_methods[] = {{"record", event_record},           {"wait", event_wait},
                                         {"synchronize", event_synchronize}, {"query", event_query},
                                         {"elapsed_time", event_elapsed},    {NULL, NULL}};

void bind_cuda_type(lua_State *L, const char *type, const char *name, const luaL_Reg *methods,
                    lua_CFunction collect) {
    luaL_newmetatable(L, type);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, name);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

void bind_cuda(lua_State *L) {
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    bind_cuda_type(L, stream_type, "stream_methods", stream_methods, stream_free);
    bind_cuda_type(L, event_type, "event_methods", event_methods, event_free);
    bind_graph(L);
    lua_setfield(L, -2, "_cuda");
}
