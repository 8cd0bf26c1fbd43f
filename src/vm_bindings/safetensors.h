#ifndef TOCHA_SAFETENSORS_H
#define TOCHA_SAFETENSORS_H
/* Files in the safetensors format: 8 bytes with the length of the header (little-endian), the
 * header (a JSON object that gives each tensor's dtype, shape and place), the elements. Nothing in
 * a file is trusted. */
#include <jansson.h>

#include "tensor/tensor.h"

enum { SAFE_MAX_HEADER = 100000000 }; /* bytes; the format's own limit */

typedef struct SafeEntry {
    const char *name; /* stands in the header */
    size_t name_length;
    int dtype, dim;
    int64_t shape[MAX_DIMS];
    int64_t begin, end; /* bytes from the start of the data */
} SafeEntry;

typedef struct SafeFile {
    int fd;
    json_t *header;   /* owned */
    json_t *metadata; /* in header: an object of strings, or NULL */
    SafeEntry *entry; /* owned; in the order of the data, which they fill without gaps */
    size_t n, capacity;
    int64_t data_bytes;
} SafeFile;

/* Opens a file and checks its whole header. *f needs safe_close() either way. */
bool safe_open(SafeFile *f, const char *path);
/* A new tensor of the scope for an entry, not filled. */
Tensor *safe_allocate(const SafeFile *f, size_t entry);
/* Reads the elements of the entries 0, 1, ... in turn into their tensors. */
bool safe_read(SafeFile *f, size_t entry, Tensor *t);
void safe_close(SafeFile *f);

/* Writes n contiguous CPU tensors under their names, in that order; metadata (may be NULL) is an
 * object of strings. The file appears under path whole or not at all. */
bool safe_write(const char *path, const char *const *names, Tensor *const *tensors, size_t n,
                json_t *metadata);

#endif
