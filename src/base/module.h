#ifndef TOCHA_BASE_MODULE_H
#define TOCHA_BASE_MODULE_H

#include <stdbool.h>
#include <stddef.h>

/* Where a module of Tocha's ("tocha_cuda.so") lies, into path: beside the library that holds this
 * code (lib/tocha/core.so), or in the folder tocha beside it (lib/libtocha.so). False where it is
 * at neither place. */
bool module_path(const char *name, char *path, size_t size);

#endif
