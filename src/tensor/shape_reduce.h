#ifndef TOCHA_SHAPE_REDUCE_H
#define TOCHA_SHAPE_REDUCE_H
#include "tensor/op.h"

/* Checks that an op which picks among the elements along dims (a bit each) has some to pick from.
 */
bool reduce_has_choice(const Call *c, uint32_t dims);
#endif
