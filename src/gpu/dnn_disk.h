#ifndef TOCHA_GPU_DNN_DISK_H
#define TOCHA_GPU_DNN_DISK_H
/* Plans on disk, as the text that cuDNN makes of them: one file each in the folder tocha/cudnn of
 * the user's caches (XDG_CACHE_HOME, or ~/.cache). What belongs to another version of cuDNN, driver
 * or device, is damaged or cannot be read or written counts as not there; nothing of it is an
 * error. TOCHA_CUDNN_CACHE=0 leaves the disk alone. */
#include "gpu/dnn_plan.h"

/* What a plan is for: bytes that have to be the same. */
typedef struct DnnKey {
    Device device;
    int modes;
    const int64_t *word; /* the graph's */
    int words;
} DnnKey;

/* The text that was stored, of *bytes bytes, for the caller to free(); NULL: none. */
char *dnn_disk_load(const DnnKey *key, size_t *bytes);
void dnn_disk_store(const DnnKey *key, const char *text, size_t bytes);

#endif
