#ifndef TOCHA_H
#define TOCHA_H
/* Tocha from C: the same tensors and operators as in Lua, without Lua.
 *
 * A function that fails returns NULL or false and leaves a sentence for tocha_error(). Tensors that
 * functions return belong to the caller, who ends each with tocha_free(). NULL given for a tensor
 * makes the call fail with the error there already was, so that calls may be nested and the error
 * looked at once. Dims count from 0 and may be negative (from the end); the values inside index
 * tensors, such as class labels, count from 1.
 *
 *     int64_t size[] = {2, 3};
 *     tocha_tensor *x = tocha_ones(size, 2, TOCHA_FLOAT32, TOCHA_CPU, true);
 *     tocha_tensor *y = tocha_sum(x, NULL, -1, false, TOCHA_NO_DTYPE);
 *     tocha_backward(y);
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOCHA_API __attribute__((visibility("default")))

typedef struct Tensor tocha_tensor;
typedef struct Generator tocha_generator;

typedef enum {
    TOCHA_NO_DTYPE = -1,
    TOCHA_BOOL,
    TOCHA_UINT8,
    TOCHA_INT8,
    TOCHA_INT16,
    TOCHA_INT32,
    TOCHA_INT64,
    TOCHA_FLOAT16,
    TOCHA_BFLOAT16,
    TOCHA_FLOAT32,
    TOCHA_FLOAT64
} tocha_dtype;

typedef struct tocha_device {
    int8_t kind, index; /* kind 0: CPU, 1: CUDA */
} tocha_device;
#define TOCHA_CPU ((tocha_device){0, 0})

/* A number that is an integer, a float, complex, or missing. */
typedef struct tocha_number {
    enum { TOCHA_MISSING, TOCHA_INTEGER, TOCHA_FLOATING, TOCHA_COMPLEX_NUMBER } kind;
    union {
        int64_t i;
        double f;
        double parts[2]; /* real and imaginary */
    } value;
} tocha_number;
#define TOCHA_NONE            ((tocha_number){TOCHA_MISSING, {0}})
#define TOCHA_INT(v)          ((tocha_number){TOCHA_INTEGER, {.i = (v)}})
#define TOCHA_FLOAT(v)        ((tocha_number){TOCHA_FLOATING, {.f = (v)}})
#define TOCHA_COMPLEX(re, im) ((tocha_number){TOCHA_COMPLEX_NUMBER, {.parts = {(re), (im)}}})

/* Starts the engine; called once, before anything else. */
TOCHA_API bool tocha_init(void);
TOCHA_API const char *tocha_version(void);

/* The thread's first error since it was cleared, or NULL. */
TOCHA_API const char *tocha_error(void);
TOCHA_API void tocha_clear_error(void);

/* A copy of count elements of that dtype, in row-major order, that make up the sizes. */
TOCHA_API tocha_tensor *tocha_from_data(const void *data, const int64_t *size, int dims,
                                        tocha_dtype dtype);
TOCHA_API void tocha_free(tocha_tensor *t);
/* Another reference to the same tensor, to be freed too. */
TOCHA_API tocha_tensor *tocha_share(tocha_tensor *t);

TOCHA_API int tocha_dims(const tocha_tensor *t);
TOCHA_API int64_t tocha_size(const tocha_tensor *t, int dim);
TOCHA_API int64_t tocha_numel(const tocha_tensor *t);
TOCHA_API tocha_dtype tocha_dtype_of(const tocha_tensor *t);
TOCHA_API tocha_device tocha_device_of(const tocha_tensor *t);
/* Copies all elements in row-major order into data, which has room for bytes. */
TOCHA_API bool tocha_to_data(const tocha_tensor *t, void *data, size_t bytes);
/* The only element of a tensor; NaN with an error for any other. */
TOCHA_API double tocha_item(const tocha_tensor *t);

TOCHA_API bool tocha_requires_grad(tocha_tensor *t, bool on);
/* Accumulates gradients of the one-element tensor into the leaves it was computed from. */
TOCHA_API bool tocha_backward(tocha_tensor *t);
/* The gradient accumulated so far, the caller's to free; NULL without an error: none. */
TOCHA_API tocha_tensor *tocha_grad(const tocha_tensor *t);
/* Switches recording for this thread; returns what it was. */
TOCHA_API bool tocha_set_recording(bool on);
TOCHA_API void tocha_manual_seed(uint64_t seed);
/* A random stream of its own, which operators take in place of NULL, the default one; to be freed
 * when no call with it is under way. */
TOCHA_API tocha_generator *tocha_generator_new(uint64_t seed);
TOCHA_API void tocha_generator_free(tocha_generator *g);

#include "tocha_ops.h"

#ifdef __cplusplus
}
#endif
#endif
