#ifndef TOCHA_SHAPE_CREATE_H
#define TOCHA_SHAPE_CREATE_H
/* What the infer rules of operators that make tensors share. */
#include "tensor/op.h"

/* The dtype argument, or fallback where it was not given, checked against what the op makes. */
bool made_dtype(const Call *c, int arg, int fallback, int *dtype);
/* Arguments first, last and steps, and a dtype, the default one of their kind unless given. */
bool infer_spaced(Call *c, int dtype_arg);
/* Output 0 of that size, none of whose numbers may be negative. */
bool set_size(Call *c, int dtype, Ints size);
#endif
