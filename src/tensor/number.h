#ifndef TOCHA_NUMBER_H
#define TOCHA_NUMBER_H
/* Numbers given as arguments, against the dtype of the elements that they become. */
#ifdef __cplusplus
    #include "tensor/backend.h"
extern "C" {
#else
    #include "tensor/op.h"
#endif

/* The whole numbers that an integer dtype holds. */
void dtype_int_range(int dtype, int64_t *least, int64_t *most);
/* The most that geometric() counts to in a dtype. */
double dtype_most_trials(int dtype);
/* The whole numbers up to which a float dtype holds each one exactly. */
int64_t dtype_whole_limit(int dtype);
/* The largest number of a float dtype below x; where that is below least, least. */
double dtype_number_before(double x, double least, int dtype);
/* False with an error where elements of dtype cannot hold the number: a fraction or one out of
 * range for integers, an overflow for floats. bool holds every number, as zero or not. */
bool number_fits(const Op *op, const char *name, Arg number, int dtype);
/* As number_fits for a whole number, which floats must hold exactly. */
bool whole_number_fits(const Op *op, const char *name, int64_t number, int dtype);
/* A number, complex or not, as a complex one. */
Complex128 number_complex(Arg number);
/* Whether the number is that real one. */
bool number_is(Arg number, double value);
/* A 0-dim tensor of it, which yields to the dtypes of others. */
Tensor *number_tensor(Arg number);
/* number * t, or t itself for 1. */
Tensor *number_times(Arg number, Tensor *t);
/* Writes the number as an element of dtype. */
void number_store(void *element, int dtype, Arg number);

#ifdef __cplusplus
}
#endif

#endif
