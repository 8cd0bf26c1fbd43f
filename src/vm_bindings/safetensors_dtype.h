#ifndef TOCHA_SAFETENSORS_DTYPE_H
#define TOCHA_SAFETENSORS_DTYPE_H
/* The format's names of the dtypes. */
#include "tensor/dtype.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    #error "safetensors files hold little-endian numbers, which are read straight into memory"
#endif

/* "F32" for DT_FLOAT32; NULL for a dtype that the format does not have. */
const char *safe_dtype_name(int dtype);
/* The dtype of that name, or DT_NONE. */
int safe_dtype_parse(const char *name);
/* "BOOL, U8, ...", for error texts. */
const char *safe_dtype_list(void);

#endif
