#ifndef TOCHA_CPU_PRODUCT_COMPLEX_H
#define TOCHA_CPU_PRODUCT_COMPLEX_H
/* Products of complex matrices, as four real ones of their parts: an interleaved matrix is two real
 * ones whose strides are twice as long. */
#include "cpu/product.h"

/* false: out of memory or interrupted, error recorded. */
bool product_complex_run(const Product *p);
#endif
