#ifndef TOCHA_CPU_H
#define TOCHA_CPU_H
/* The built-in backend. Each family exports its kernels as rows that end at op == NULL. */
#include "tensor/backend.h"

extern const KernelRow cpu_elementwise_rows[], cpu_create_rows[], cpu_reduce_rows[],
    cpu_softmax_rows[], cpu_shape_rows[], cpu_index_rows[], cpu_matmul_rows[], cpu_conv_rows[],
    cpu_loss_rows[], cpu_optim_rows[], cpu_linalg_rows[], cpu_linalg_factor_rows[],
    cpu_linalg_spectra_rows[], cpu_sort_rows[], cpu_scan_rows[], cpu_search_rows[],
    cpu_normalize_rows[], cpu_attention_rows[], cpu_factor_rows[], cpu_maths_rows[];

/* Copies in[0] to out[0], of the same shape and dtype but of any strides. */
bool cpu_clone(const KernelCall *c);

/* Registers the backend; called once, before anything else of the engine. */
bool cpu_start(void);
#endif
