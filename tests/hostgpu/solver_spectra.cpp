/* cuSOLVER's singular values and eigenvalues, by LAPACK. */
#include "library.h"
#include "solver.h"

namespace hostgpu {

static cusolverStatus_t eigh_size(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                  cublasFillMode_t, int64_t n, cudaDataType, const void *, int64_t,
                                  cudaDataType, const void *, cudaDataType, size_t *device,
                                  size_t *host) {
    ask_for(device, host, n, n);
    return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
static void run_eigh(const char *uplo, int n, T *a, int lead, typename Typed<T>::Part *w,
                     int *info) {
    typedef typename Typed<T>::Part Part;
    int size = 2 * n * n + 6 * n + 64, parts = 2 * n * n + 5 * n + 64, ints = 5 * n + 64;
    std::vector<T> work((size_t)size);
    std::vector<Part> part((size_t)parts);
    std::vector<int> whole((size_t)ints);
    if constexpr (Typed<T>::COMPLEX) {
        lapack<T>("heevd", "V", uplo, &n, a, &lead, w, work.data(), &size, part.data(), &parts,
                  whole.data(), &ints, info, (size_t)1, (size_t)1);
    } else {
        lapack<T>("syevd", "V", uplo, &n, a, &lead, w, work.data(), &size, whole.data(), &ints,
                  info, (size_t)1, (size_t)1);
    }
}

static cusolverStatus_t eigh(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t job,
                             cublasFillMode_t fill, int64_t n, cudaDataType type, void *a,
                             int64_t lead, cudaDataType w_type, void *w, cudaDataType, void *device,
                             size_t device_bytes, void *host, size_t host_bytes, int *info) {
    if (job != CUSOLVER_EIG_MODE_VECTOR || w_type != real_of(type) ||
        !is_matrix(a, n, n, lead, bytes_of(type)) || !is_vector(w, n, bytes_of(w_type)) ||
        !is_vector(info, 1, 4) || !has_work(device, device_bytes, host, host_bytes, n, n)) {
        return BAD;
    }
    return queue(handle, [=]() {
        by_type(type, [&](auto zero) {
            typedef decltype(zero) T;
            run_eigh(fill == CUBLAS_FILL_MODE_UPPER ? "U" : "L", (int)n, (T *)a, (int)lead,
                     (typename Typed<T>::Part *)w, info);
        });
    });
}

static cusolverStatus_t eighs_size(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                   cublasFillMode_t, int64_t n, cudaDataType, const void *, int64_t,
                                   cudaDataType, const void *, cudaDataType, size_t *device,
                                   size_t *host, int64_t count) {
    ask_for(device, host, n, n * count);
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t eighs(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t job,
                              cublasFillMode_t fill, int64_t n, cudaDataType type, void *a,
                              int64_t lead, cudaDataType w_type, void *w, cudaDataType,
                              void *device, size_t device_bytes, void *host, size_t host_bytes,
                              int *info, int64_t count) {
    if (job != CUSOLVER_EIG_MODE_VECTOR || w_type != real_of(type) ||
        !is_matrix(a, n, n * count, lead, bytes_of(type)) ||
        !is_vector(w, n * count, bytes_of(w_type)) || !is_vector(info, count, 4) ||
        !has_work(device, device_bytes, host, host_bytes, n, n * count)) {
        return BAD;
    }
    return queue(handle, [=]() {
        by_type(type, [&](auto zero) {
            typedef decltype(zero) T;
            for (int64_t i = 0; i < count; i++) {
                run_eigh(fill == CUBLAS_FILL_MODE_UPPER ? "U" : "L", (int)n, (T *)a + i * lead * n,
                         (int)lead, (typename Typed<T>::Part *)w + i * n, info + i);
            }
        });
    });
}

static cusolverStatus_t svd_size(cusolverDnHandle_t, cusolverDnParams_t, signed char, signed char,
                                 int64_t m, int64_t n, cudaDataType, const void *, int64_t,
                                 cudaDataType, const void *, cudaDataType, const void *, int64_t,
                                 cudaDataType, const void *, int64_t, cudaDataType, size_t *device,
                                 size_t *host) {
    ask_for(device, host, m, n);
    return m >= n ? CUSOLVER_STATUS_SUCCESS : BAD;
}

template <class T>
static void run_svd(char job, int m, int n, T *a, int lead, typename Typed<T>::Part *s, T *u,
                    int ldu, T *vt, int ldvt, int *info) {
    typedef typename Typed<T>::Part Part;
    int size = 64 * (m + n) + 8 * n;
    std::vector<T> work((size_t)size);
    std::vector<Part> part((size_t)(5 * n));
    if constexpr (Typed<T>::COMPLEX) {
        lapack<T>("gesvd", &job, &job, &m, &n, a, &lead, s, u, &ldu, vt, &ldvt, work.data(), &size,
                  part.data(), info, (size_t)1, (size_t)1);
    } else {
        lapack<T>("gesvd", &job, &job, &m, &n, a, &lead, s, u, &ldu, vt, &ldvt, work.data(), &size,
                  info, (size_t)1, (size_t)1);
    }
}

/* As the real one, only for matrices with at least as many rows as columns. */
static cusolverStatus_t svd(cusolverDnHandle_t handle, cusolverDnParams_t, signed char job_u,
                            signed char job_v, int64_t m, int64_t n, cudaDataType type, void *a,
                            int64_t lead, cudaDataType s_type, void *s, cudaDataType, void *u,
                            int64_t ldu, cudaDataType, void *vt, int64_t ldvt, cudaDataType,
                            void *device, size_t device_bytes, void *host, size_t host_bytes,
                            int *info) {
    size_t element = bytes_of(type);
    if (m < n || job_u != job_v || (job_u != 'A' && job_u != 'S') || s_type != real_of(type) ||
        !is_matrix(a, m, n, lead, element) || !is_vector(s, n, bytes_of(s_type)) ||
        !is_matrix(u, m, job_u == 'A' ? m : n, ldu, element) ||
        !is_matrix(vt, n, n, ldvt, element) || !is_vector(info, 1, 4) ||
        !has_work(device, device_bytes, host, host_bytes, m, n)) {
        return BAD;
    }
    return queue(handle, [=]() {
        by_type(type, [&](auto zero) {
            typedef decltype(zero) T;
            run_svd((char)job_u, (int)m, (int)n, (T *)a, (int)lead, (typename Typed<T>::Part *)s,
                    (T *)u, (int)ldu, (T *)vt, (int)ldvt, info);
        });
    });
}

static cusolverStatus_t eig_size(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                 cusolverEigMode_t, int64_t n, cudaDataType, const void *, int64_t,
                                 cudaDataType, const void *, cudaDataType, const void *, int64_t,
                                 cudaDataType, const void *, int64_t, cudaDataType, size_t *device,
                                 size_t *host) {
    ask_for(device, host, n, n);
    return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
static void run_eig(int n, T *a, int lead, std::complex<typename Typed<T>::Part> *w, T *v, int ldv,
                    int *info) {
    typedef typename Typed<T>::Part Part;
    int size = 16 * n + 64, one = 1;
    std::vector<T> work((size_t)size);
    std::vector<Part> re((size_t)(2 * n)), im((size_t)n);
    T none = 0;
    if constexpr (Typed<T>::COMPLEX) {
        lapack<T>("geev", "N", "V", &n, a, &lead, w, &none, &one, v, &ldv, work.data(), &size,
                  re.data(), info, (size_t)1, (size_t)1);
    } else {
        lapack<T>("geev", "N", "V", &n, a, &lead, re.data(), im.data(), &none, &one, v, &ldv,
                  work.data(), &size, info, (size_t)1, (size_t)1);
        for (size_t i = 0; i < (size_t)n; i++) {
            w[i] = {re[i], im[i]};
        }
    }
}

static cusolverStatus_t eig(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t left,
                            cusolverEigMode_t right, int64_t n, cudaDataType type, void *a,
                            int64_t lead, cudaDataType w_type, void *w, cudaDataType, void *,
                            int64_t, cudaDataType, void *v, int64_t ldv, cudaDataType, void *device,
                            size_t device_bytes, void *host, size_t host_bytes, int *info) {
    if (left != CUSOLVER_EIG_MODE_NOVECTOR || right != CUSOLVER_EIG_MODE_VECTOR ||
        is_real(w_type) || real_of(w_type) != real_of(type) ||
        !is_matrix(a, n, n, lead, bytes_of(type)) || !is_vector(w, n, bytes_of(w_type)) ||
        !is_matrix(v, n, n, ldv, bytes_of(type)) || !is_vector(info, 1, 4) ||
        !has_work(device, device_bytes, host, host_bytes, n, n)) {
        return BAD;
    }
    return queue(handle, [=]() {
        by_type(type, [&](auto zero) {
            typedef decltype(zero) T;
            run_eig((int)n, (T *)a, (int)lead, (std::complex<typename Typed<T>::Part> *)w, (T *)v,
                    (int)ldv, info);
        });
    });
}

static const StandIns spectra_functions({{"cusolverDnXsyevd_bufferSize", eigh_size},
                                         {"cusolverDnXsyevd", eigh},
                                         {"cusolverDnXsyevBatched_bufferSize", eighs_size},
                                         {"cusolverDnXsyevBatched", eighs},
                                         {"cusolverDnXgesvd_bufferSize", svd_size},
                                         {"cusolverDnXgesvd", svd},
                                         {"cusolverDnXgeev_bufferSize", eig_size},
                                         {"cusolverDnXgeev", eig}});

} // namespace hostgpu
