#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "vm_bindings/safetensors.h"
#include "vm_bindings/safetensors_dtype.h"

enum { SHOWN_BYTES = 80 };

/* A text from the file as an error text shows it: short and without control characters. */
static const char *shown_in(char *out, const char *text) {
    size_t n = 0;
    for (; text[n] && n < SHOWN_BYTES; n++) {
        unsigned char c = (unsigned char)text[n];
        out[n] = c < 32 || c == 127 ? '?' : text[n];
    }
    strcpy(out + n, text[n] ? "..." : "");
    return out;
}
#define shown(text) shown_in((char[SHOWN_BYTES + 4]){0}, text)

static bool read_bytes(int fd, void *to, size_t n) {
    char *p = to;
    while (n > 0) {
        ssize_t got = read(fd, p, n < (1 << 24) ? n : 1 << 24);
        if (got < 0 && errno == EINTR) {
            got = 0;
        } else if (got < 0) {
            return fail("%s", strerror(errno));
        } else if (got == 0) {
            return fail("the file became shorter while it was read");
        }
        if (interrupted()) {
            return false;
        }
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static bool parse_shape(SafeEntry *e, json_t *shape) {
    if (!json_is_array(shape)) {
        return fail("tensor '%s' has no shape, which must be a list", shown(e->name));
    }
    size_t dim = json_array_size(shape);
    if (dim > MAX_DIMS) {
        return fail("tensor '%s' has %zu dims; at most %d are possible", shown(e->name), dim,
                    MAX_DIMS);
    }
    e->dim = (int)dim;
    for (size_t i = 0; i < dim; i++) {
        json_t *size = json_array_get(shape, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0) {
            return fail("tensor '%s': sizes must be whole numbers from 0", shown(e->name));
        }
        e->shape[i] = json_integer_value(size);
    }
    return true;
}

static bool parse_offsets(SafeEntry *e, json_t *offsets, int64_t data_bytes) {
    json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end)) {
        return fail("tensor '%s': data_offsets must be two whole numbers", shown(e->name));
    }
    e->begin = json_integer_value(begin);
    e->end = json_integer_value(end);
    if (e->begin < 0 || e->begin > e->end || e->end > data_bytes) {
        return fail("tensor '%s': data_offsets [%lld, %lld] lie outside the %lld bytes of data",
                    shown(e->name), (long long)e->begin, (long long)e->end, (long long)data_bytes);
    }
    return true;
}

static bool parse_entry(SafeEntry *e, json_t *value, int64_t data_bytes) {
    if (!json_is_object(value)) {
        return fail("tensor '%s' must be described by an object", shown(e->name));
    }
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    e->dtype = dtype ? safe_dtype_parse(dtype) : DT_NONE;
    if (e->dtype == DT_NONE) {
        return fail("tensor '%s' has dtype %s; known: %s", shown(e->name),
                    dtype ? shown(dtype) : "(none)", safe_dtype_list());
    }
    if (!parse_shape(e, json_object_get(value, "shape")) ||
        !parse_offsets(e, json_object_get(value, "data_offsets"), data_bytes)) {
        return false;
    }
    int64_t numel = shape_numel((Ints){e->shape, e->dim});
    int64_t size = (int64_t)dtype_size(e->dtype);
    if (numel < 0 || numel > data_bytes / size || numel * size != e->end - e->begin) {
        return fail("tensor '%s': shape %s of %s does not take the %lld bytes of its data_offsets",
                    shown(e->name), shape_text((Ints){e->shape, e->dim}), dtype_name(e->dtype),
                    (long long)(e->end - e->begin));
    }
    return true;
}

static bool check_metadata(json_t *metadata) {
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) {
        return fail("__metadata__ must be an object of strings");
    }
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value)) {
            return fail("__metadata__ must hold strings, '%s' is none", shown(key));
        }
    }
    return true;
}

static int compare_places(const void *a, const void *b) {
    const SafeEntry *x = a, *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return (x->end > y->end) - (x->end < y->end);
}

/* The tensors fill the data without gap or overlap, so that no byte of a file is hidden. */
static bool check_places(SafeFile *f) {
    int64_t at = 0;
    for (size_t i = 0; i < f->n; i++) {
        const SafeEntry *e = &f->entry[i];
        if (e->begin != at) {
            return fail("tensor '%s' %s: its data starts at byte %lld, not %lld", shown(e->name),
                        e->begin < at ? "overlaps the one before" : "leaves a gap",
                        (long long)e->begin, (long long)at);
        }
        at = e->end;
    }
    if (at != f->data_bytes) {
        return fail("%lld bytes at the end belong to no tensor", (long long)(f->data_bytes - at));
    }
    return true;
}

static bool parse_header(SafeFile *f) {
    f->capacity = json_object_size(f->header);
    f->entry = mem_alloc((f->capacity + 1) * sizeof *f->entry);
    if (!f->entry) {
        return false;
    }
    for (void *i = json_object_iter(f->header); i; i = json_object_iter_next(f->header, i)) {
        json_t *value = json_object_iter_value(i);
        if (strcmp(json_object_iter_key(i), "__metadata__") == 0) {
            if (!check_metadata(value)) {
                return false;
            }
            f->metadata = value;
            continue;
        }
        SafeEntry *e = &f->entry[f->n++];
        *e = (SafeEntry){.name = json_object_iter_key(i),
                         .name_length = json_object_iter_key_len(i)};
        if (!parse_entry(e, value, f->data_bytes)) {
            return false;
        }
    }
    qsort(f->entry, f->n, sizeof *f->entry, compare_places);
    return check_places(f);
}

static bool read_header(SafeFile *f, int64_t length) {
    char *text = mem_alloc((size_t)length);
    bool ok = text && read_bytes(f->fd, text, (size_t)length);
    if (ok && text[0] != '{') {
        ok = fail("the header is not a JSON object; is this a safetensors file?");
    }
    if (ok) {
        json_error_t error;
        f->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
        ok = f->header || fail("the header is not valid JSON: %s", shown(error.text));
    }
    mem_free(text, (size_t)length);
    return ok;
}

static bool read_length(SafeFile *f, int64_t file_bytes, int64_t *length) {
    unsigned char bytes[8];
    if (file_bytes < 8) {
        return fail("cut off or no safetensors file: it has %lld bytes", (long long)file_bytes);
    }
    if (!read_bytes(f->fd, bytes, sizeof bytes)) {
        return false;
    }
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) {
        n = n << 8 | bytes[i];
    }
    if (n > SAFE_MAX_HEADER || n < 2) {
        return fail("no safetensors file: a header of %llu bytes (2 to %d are possible)",
                    (unsigned long long)n, SAFE_MAX_HEADER);
    }
    if ((int64_t)n > file_bytes - 8) {
        return fail("cut off or no safetensors file: a header of %llu bytes in a file of %lld",
                    (unsigned long long)n, (long long)file_bytes);
    }
    *length = (int64_t)n;
    return true;
}

bool safe_open(SafeFile *f, const char *path) {
    struct stat info;
    int64_t length;
    *f = (SafeFile){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (f->fd < 0 || fstat(f->fd, &info) != 0) {
        return fail("%s", strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return fail("not a regular file");
    }
    if (!read_length(f, info.st_size, &length)) {
        return false;
    }
    f->data_bytes = info.st_size - 8 - length;
    return read_header(f, length) && parse_header(f);
}

static bool check_bools(const SafeEntry *e, const uint8_t *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (p[i] > 1) {
            return fail("tensor '%s' of bool holds a byte %d, which is neither 0 nor 1",
                        shown(e->name), p[i]);
        }
    }
    return true;
}

Tensor *safe_allocate(const SafeFile *f, size_t entry) {
    const SafeEntry *e = &f->entry[entry];
    return tensor_new(e->dtype, (Device){DEVICE_CPU, 0}, (Ints){e->shape, e->dim}, NULL);
}

bool safe_read(SafeFile *f, size_t entry, Tensor *t) {
    const SafeEntry *e = &f->entry[entry];
    return read_bytes(f->fd, tensor_data(t), (size_t)(e->end - e->begin)) &&
           (e->dtype != DT_BOOL || check_bools(e, tensor_data(t), t->numel));
}

void safe_close(SafeFile *f) {
    if (f->fd >= 0) {
        close(f->fd);
    }
    json_decref(f->header);
    mem_free(f->entry, (f->capacity + 1) * sizeof *f->entry);
    *f = (SafeFile){.fd = -1};
}
