#ifndef TOCHA_CPU_H
#define TOCHA_CPU_H
/* The built-in backend. Each family exports its kernels as rows that end at op == NULL. */
#include "tensor/backend.h"

#define FAMILY(name) extern const KernelRow cpu_##name##_rows[];
#include "cpu/families.def"
#undef FAMILY

/* Copies in[0] to out[0], of the same shape and dtype but of any strides. */
bool cpu_clone(const KernelCall *c);

/* Registers the backend; called once, before anything else of the engine. */
bool cpu_start(void);
#endif
