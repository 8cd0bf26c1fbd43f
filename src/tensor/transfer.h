#ifndef TOCHA_TRANSFER_H
#define TOCHA_TRANSFER_H
/* Copies between devices. */
#include "base/tls.h"
#include "tensor/tensor.h"

/* Copies src, broadcast to dst's shape and cast to its dtype, into dst on another device. What src
 * is still to become there is waited for. */
bool tensor_transfer(Tensor *dst, Tensor *src);

/* Of this thread: a copy from pinned memory is not waited for. */
extern THREAD_LOCAL bool transfer_may_return_early;

#endif
