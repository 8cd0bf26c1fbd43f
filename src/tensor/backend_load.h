#ifndef TOCHA_BACKEND_LOAD_H
#define TOCHA_BACKEND_LOAD_H
/* Loads the module that computes on CUDA devices. */
#include "tensor/backend.h"

/* Where the module lies, into path; false where this build has none. */
bool backend_module_path(char *path, size_t size);
/* Loads it and returns its table; NULL with a sentence's end in why ("there is no ...") where that
 * cannot be. Records no error. */
const Backend *backend_load(char *why, size_t size);

#endif
