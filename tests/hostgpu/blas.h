#ifndef TOCHA_HOSTGPU_BLAS_H
#define TOCHA_HOSTGPU_BLAS_H
/* Elements of the types that cuBLAS knows. */
#include <library_types.h>
#include <stdint.h>

#include <complex>

namespace hostgpu {

typedef std::complex<double> Number;

Number blas_get(const void *p, int64_t i, cudaDataType type);
void blas_set(void *p, int64_t i, cudaDataType type, Number v);

} // namespace hostgpu

#endif
