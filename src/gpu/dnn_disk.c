#include "gpu/dnn_disk.h"

#include <cuda_runtime_api.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gpu/dnn_library.h"

enum { PATH_BYTES = 4096, NAME_BYTES = 256, MOST_TEXT = 1 << 24 };

/* In front of the graph's words, which are in front of the text. */
typedef struct Header {
    char magic[16];
    uint64_t check; /* of all that follows the header, and of the header with check 0 */
    int64_t cudnn;
    int32_t driver, runtime, modes, words;
    uint64_t text; /* bytes */
    char device[NAME_BYTES];
} Header;

static uint64_t mix(uint64_t h, const void *data, size_t bytes) {
    const unsigned char *p = (const unsigned char *)data;
    for (size_t i = 0; i < bytes; i++) {
        h = (h ^ p[i]) * 0x100000001b3u;
    }
    return h ^ h >> 29;
}

static bool describe(const DnnKey *key, size_t text, Header *h) {
    static char names[GPU_DEVICES][NAME_BYTES];
    char *name = names[key->device.index];
    memset(h, 0, sizeof *h);
    snprintf(h->magic, sizeof h->magic, "tocha-cudnn-1");
    if (!name[0]) {
        struct cudaDeviceProp p;
        if (cudaGetDeviceProperties(&p, key->device.index) != cudaSuccess) {
            cudaGetLastError();
            return false;
        }
        snprintf(name, NAME_BYTES, "%s", p.name);
    }
    if (cudaDriverGetVersion(&h->driver) != cudaSuccess ||
        cudaRuntimeGetVersion(&h->runtime) != cudaSuccess) {
        cudaGetLastError();
        return false;
    }
    h->cudnn = (int64_t)DNN(cudnnGetVersion)();
    h->modes = key->modes;
    h->words = key->words;
    h->text = text;
    memcpy(h->device, name, NAME_BYTES);
    return true;
}

static size_t word_bytes(const DnnKey *key) { return (size_t)key->words * sizeof *key->word; }

/* Of a header whose check is 0. */
static uint64_t check_of(const Header *h, const DnnKey *key, const char *text) {
    uint64_t sum = mix(0xcbf29ce484222325u, h, sizeof *h);
    return mix(mix(sum, key->word, word_bytes(key)), text, h->text);
}

/* Where the user's caches are; false: nowhere. */
static bool cache_folder(char *path, size_t size) {
    const char *off = getenv("TOCHA_CUDNN_CACHE"), *own = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (off && strcmp(off, "0") == 0) {
        return false;
    }
    int n = own && own[0] == '/'     ? snprintf(path, size, "%s", own)
            : home && home[0] == '/' ? snprintf(path, size, "%s/.cache", home)
                                     : -1;
    return n > 0 && (size_t)n < size;
}

/* The file for a key: its name is a hash of what the plan is for, which the file states in full. */
static bool path_of(const DnnKey *key, const Header *h, char *path, size_t size) {
    Header same = *h;
    same.text = 0;
    uint64_t a = check_of(&same, key, ""), b = mix(a, key->word, word_bytes(key));
    size_t used;
    if (!cache_folder(path, size)) {
        return false;
    }
    used = strlen(path);
    int n = snprintf(path + used, size - used, "/tocha/cudnn/%016llx%016llx.plan",
                     (unsigned long long)a, (unsigned long long)b);
    return n > 0 && (size_t)n < size - used;
}

static bool read_all(int file, void *to, size_t bytes) {
    char *p = (char *)to;
    while (bytes > 0) {
        ssize_t n = read(file, p, bytes);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        p += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The text behind a header that is the one expected. */
static char *read_text(int file, const DnnKey *key, Header *expected, size_t *bytes) {
    Header h;
    if (!read_all(file, &h, sizeof h) || h.text == 0 || h.text > MOST_TEXT) {
        return NULL;
    }
    uint64_t check = h.check;
    h.check = 0;
    expected->text = h.text;
    size_t words = word_bytes(key), all = words + h.text;
    char *text = memcmp(&h, expected, sizeof h) == 0 ? malloc(all) : NULL;
    if (text && read_all(file, text, all) && memcmp(text, key->word, words) == 0 &&
        check_of(&h, key, text + words) == check) {
        memmove(text, text + words, h.text);
        *bytes = h.text;
        return text;
    }
    free(text);
    return NULL;
}

char *dnn_disk_load(const DnnKey *key, size_t *bytes) {
    Header expected;
    char path[PATH_BYTES];
    if (!describe(key, 0, &expected) || !path_of(key, &expected, path, sizeof path)) {
        return NULL;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    char *text = read_text(file, key, &expected, bytes);
    close(file);
    return text;
}

/* Makes the folders that lead to the file. */
static void make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static bool write_all(int file, const void *from, size_t bytes) {
    const char *p = (const char *)from;
    while (bytes > 0) {
        ssize_t n = write(file, p, bytes);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        p += n > 0 ? n : 0;
        bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Written beside its place and moved there, so that no one reads half a file. */
void dnn_disk_store(const DnnKey *key, const char *text, size_t bytes) {
    Header h;
    char path[PATH_BYTES], part[PATH_BYTES + 32];
    if (bytes > MOST_TEXT || !describe(key, bytes, &h) || !path_of(key, &h, path, sizeof path)) {
        return;
    }
    make_folders(path);
    snprintf(part, sizeof part, "%s.%ld", path, (long)getpid());
    int file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        return;
    }
    h.check = check_of(&h, key, text);
    bool ok = write_all(file, &h, sizeof h) && write_all(file, key->word, word_bytes(key)) &&
              write_all(file, text, bytes);
    ok = close(file) == 0 && ok;
    if (!ok || rename(part, path) != 0) {
        unlink(part);
    }
}
