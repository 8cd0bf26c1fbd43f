/* Data files, gzipped or not, and what scripts ask of the clock and the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "vm_bindings/hold.h"

typedef struct DataFile {
    gzFile gz;     /* NULL: closed */
    int64_t bytes; /* on disk */
} DataFile;

enum { CHUNK = 1 << 20 };
/* No deflate stream grows by more than this factor. */
enum { MAX_EXPANSION = 1032 };

static const char *const type_name = "tocha.file";

static DataFile *check_file(lua_State *L) {
    DataFile *f = luaL_checkudata(L, 1, type_name);
    luaL_argcheck(L, f->gz, 1, "the file is closed");
    return f;
}

static bool data_open(DataFile *f, const char *path) {
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail("%s", strerror(errno));
    }
    if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
        close(fd);
        return fail("is a directory");
    }
    f->bytes = S_ISREG(info.st_mode) ? (int64_t)info.st_size : INT64_MAX / MAX_EXPANSION;
    f->gz = gzdopen(fd, "rb");
    if (!f->gz) {
        close(fd);
        return fail("out of memory");
    }
    gzbuffer(f->gz, CHUNK / 4);
    return true;
}

static bool data_error(DataFile *f) {
    int code;
    const char *text = gzerror(f->gz, &code);
    if (code == Z_ERRNO) {
        return fail("%s", strerror(errno));
    }
    if (code == Z_BUF_ERROR) {
        return fail("cut off: the gzip stream has no end");
    }
    return fail("corrupt gzip stream (%s)", text);
}

/* Reads up to n bytes; *got is less than n only at the end of the file. */
static bool data_read(DataFile *f, void *to, size_t n, size_t *got) {
    *got = 0;
    while (*got < n) {
        size_t left = n - *got;
        int read = gzread(f->gz, (char *)to + *got, left < CHUNK ? (unsigned)left : CHUNK);
        int code;
        gzerror(f->gz, &code);
        if (read < 0 || (code != Z_OK && code != Z_STREAM_END)) {
            return data_error(f);
        }
        if (read == 0) {
            break;
        }
        *got += (size_t)read;
        if (interrupted()) {
            return false;
        }
    }
    return true;
}

/* _open(path): a file, or nil and what is wrong. */
static int l_open(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    DataFile *f = lua_newuserdatauv(L, sizeof *f, 0);
    *f = (DataFile){NULL, 0};
    luaL_setmetatable(L, type_name);
    return data_open(f, path) ? 1 : hold_failure(L);
}

/* file:read(n): up to n bytes, fewer only at the end; or nil and what is wrong. */
static int l_read(lua_State *L) {
    DataFile *f = check_file(L);
    lua_Integer n = luaL_checkinteger(L, 2);
    luaL_argcheck(L, n >= 0 && n <= 1 << 30, 2, "must be in [0, 2^30]");
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(L, &buffer, (size_t)n);
    size_t got;
    if (!data_read(f, to, (size_t)n, &got)) {
        return hold_failure(L);
    }
    luaL_pushresultsize(&buffer, got);
    return 1;
}

typedef struct Fill {
    DataFile *file;
    Ints shape;
    Tensor **entry;
} Fill;

/* Holds the tensor in *entry before it reads, so that a second attempt reads nothing twice. */
static bool fill_tensor(void *ctx) {
    Fill *fill = ctx;
    int64_t numel = shape_numel(fill->shape);
    if (numel < 0 || numel / MAX_EXPANSION > fill->file->bytes) {
        return fail("cut off: too small for %s values", shape_text(fill->shape));
    }
    Tensor *t = tensor_new(DT_UINT8, (Device){DEVICE_CPU, 0}, fill->shape, NULL);
    if (!t) {
        return false;
    }
    size_t got = 0;
    *fill->entry = scope_take(t);
    if (!data_read(fill->file, tensor_data(t), (size_t)numel, &got)) {
        return false;
    }
    return got == (size_t)numel ||
           fail("cut off: %lld of %lld values are there", (long long)got, (long long)numel);
}

/* file:read_tensor(sizes...): a uint8 tensor of the next bytes; or nil and what is wrong. */
static int l_read_tensor(lua_State *L) {
    DataFile *f = check_file(L);
    int64_t shape[MAX_DIMS];
    int dim = lua_gettop(L) - 1;
    luaL_argcheck(L, dim <= MAX_DIMS, 1, "has too many sizes");
    for (int i = 0; i < dim; i++) {
        shape[i] = luaL_checkinteger(L, i + 2);
        luaL_argcheck(L, shape[i] >= 0, i + 2, "must not be negative");
    }
    Tensor **entry = hold_tensors(L, 1);
    Fill fill = {f, {shape, dim}, entry};
    if (!hold_run(L, fill_tensor, &fill)) {
        return hold_failure(L);
    }
    hold_push(L, entry);
    return 1;
}

static int l_close(lua_State *L) {
    DataFile *f = luaL_checkudata(L, 1, type_name);
    if (f->gz) {
        gzclose(f->gz);
        f->gz = NULL;
    }
    return 0;
}

/* _now(): seconds of a clock that only goes forward. */
static int l_now(lua_State *L) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    lua_pushnumber(L, (double)t.tv_sec + (double)t.tv_nsec * 1e-9);
    return 1;
}

/* _terminal_width(): columns of the terminal that standard output is, or nil where it is none. */
static int l_terminal_width(lua_State *L) {
    struct winsize size;
    if (!isatty(STDOUT_FILENO)) {
        lua_pushnil(L);
    } else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        lua_pushinteger(L, size.ws_col);
    } else {
        lua_pushinteger(L, 80);
    }
    return 1;
}

void bind_files(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"_open", l_open}, {"_now", l_now}, {"_terminal_width", l_terminal_width}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"read", l_read},     {"read_tensor", l_read_tensor},
                                       {"close", l_close},   {"__gc", l_close},
                                       {"__close", l_close}, {NULL, NULL}};
    luaL_newmetatable(L, type_name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    luaL_setfuncs(L, functions, 0);
}
