#ifndef TOCHA_COMPOSE_ERROR_H
#define TOCHA_COMPOSE_ERROR_H
#include "tensor/op.h"

/* After an op that the user did not call has failed: makes an error in its name one of the composed
 * op that the user did call. Returns NULL. */
Tensor *fail_as_caller(const char *inner, const char *caller);
#endif
