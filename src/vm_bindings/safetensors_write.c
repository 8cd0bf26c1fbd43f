#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

enum { ALIGNMENT = 8 };

static bool write_bytes(int fd, const void *from, size_t n) {
    const char *p = from;
    while (n > 0) {
        ssize_t done = write(fd, p, n < (1 << 24) ? n : 1 << 24);
        if (done < 0 && errno != EINTR) {
            return fail("%s", strerror(errno));
        }
        if (interrupted()) {
            return false;
        }
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return true;
}

static json_t *describe(const Tensor *t, int64_t begin) {
    json_t *shape = json_array();
    for (int i = 0; i < t->dim; i++) {
        json_array_append_new(shape, json_integer(t->shape[i]));
    }
    int64_t end = begin + t->numel * (int64_t)dtype_size(t->dtype);
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", safe_dtype_name(t->dtype), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

/* The header's text, to be freed by the caller with free(); NULL with an error recorded. */
static char *header_text(const char *const *names, Tensor *const *tensors, size_t n,
                         json_t *metadata) {
    json_t *header = json_object();
    bool ok = header != NULL;
    if (ok && metadata) {
        ok = json_object_set(header, "__metadata__", metadata) == 0;
    }
    int64_t at = 0;
    for (size_t i = 0; ok && i < n; i++) {
        if (!safe_dtype_name(tensors[i]->dtype)) {
            json_decref(header);
            return fail_null(
                "'%s' is %s, which the format does not have; save :to(\"complex64\") or "
                "tocha.view_as_real of it",
                names[i], dtype_name(tensors[i]->dtype));
        }
        ok = json_object_set_new(header, names[i], describe(tensors[i], at)) == 0;
        at += tensors[i]->numel * (int64_t)dtype_size(tensors[i]->dtype);
    }
    char *text = ok ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (text && strlen(text) > SAFE_MAX_HEADER - ALIGNMENT) {
        free(text);
        return fail_null("names and metadata take more than %d bytes", SAFE_MAX_HEADER);
    }
    return text ? text : fail_null("the header could not be made: a bad name or no memory");
}

static bool write_all(int fd, const char *header, Tensor *const *tensors, size_t n) {
    static const char spaces[ALIGNMENT] = "        ";
    size_t length = strlen(header), pad = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
    uint64_t total = length + pad;
    if (!write_bytes(fd, &total, sizeof total) || !write_bytes(fd, header, length) ||
        !write_bytes(fd, spaces, pad)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t bytes = (size_t)tensors[i]->numel * dtype_size(tensors[i]->dtype);
        if (!write_bytes(fd, tensor_data(tensors[i]), bytes)) {
            return false;
        }
    }
    return fsync(fd) == 0 || fail("%s", strerror(errno));
}

/* A new file beside target, whose name is left in temporary (PATH_MAX bytes). */
static int open_temporary(const char *target, char *temporary) {
    int n = snprintf(temporary, PATH_MAX, "%s.XXXXXX", target);
    if (n >= PATH_MAX) {
        fail("the name is too long");
        return -1;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        fail("%s", strerror(errno));
        return -1;
    }
    struct stat old;
    mode_t mode = 0;
    if (stat(target, &old) == 0) {
        mode = old.st_mode & 0777;
    } else {
        mode_t mask = umask(0);
        umask(mask);
        mode = 0666 & ~mask;
    }
    if (fchmod(fd, mode) != 0) {
        fail("%s", strerror(errno));
        close(fd);
        unlink(temporary);
        return -1;
    }
    return fd;
}

/* Makes the renaming itself durable. A file system that cannot is no failure: the data is safe. */
static void sync_folder(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = '\0';
    }
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static bool replace_file(const char *target, const char *header, Tensor *const *tensors, size_t n) {
    char temporary[PATH_MAX];
    struct stat info;
    if (stat(target, &info) == 0 && !S_ISREG(info.st_mode)) {
        return fail("there is something else than a file under this name");
    }
    int fd = open_temporary(target, temporary);
    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, header, tensors, n);
    ok = (close(fd) == 0 || fail("%s", strerror(errno))) && ok;
    ok = ok && (rename(temporary, target) == 0 || fail("%s", strerror(errno)));
    if (!ok) {
        unlink(temporary);
        return false;
    }
    sync_folder(target);
    return true;
}

bool safe_write(const char *path, const char *const *names, Tensor *const *tensors, size_t n,
                json_t *metadata) {
    char *header = header_text(names, tensors, n, metadata);
    if (!header) {
        return false;
    }
    char *target = realpath(path, NULL); /* through a link, so that the link stays */
    bool ok = replace_file(target ? target : path, header, tensors, n);
    free(target);
    free(header);
    return ok;
}
