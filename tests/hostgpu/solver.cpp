/* The functions of cuSOLVER that the backend uses, as NVIDIA documents them, by LAPACK. Sizes of
 * work memory have to be asked for: less than that is refused. */
#include "solver.h"

#include "library.h"

namespace hostgpu {

static cusolverStatus_t solver_create(cusolverDnHandle_t *handle) {
    *handle = (cusolverDnHandle_t) new Solver{nullptr};
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t solver_set_stream(cusolverDnHandle_t handle, cudaStream_t stream) {
    ((Solver *)handle)->stream = stream;
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t solver_create_params(cusolverDnParams_t *params) {
    *params = (cusolverDnParams_t) new Solver{nullptr};
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t lu_size(cusolverDnHandle_t, cusolverDnParams_t, int64_t m, int64_t n,
                                cudaDataType, const void *, int64_t, cudaDataType, size_t *device,
                                size_t *host) {
    ask_for(device, host, m, n);
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t lu(cusolverDnHandle_t handle, cusolverDnParams_t, int64_t m, int64_t n,
                           cudaDataType type, void *a, int64_t lead, int64_t *pivots, cudaDataType,
                           void *device, size_t device_bytes, void *host, size_t host_bytes,
                           int *info) {
    int64_t k = std::min(m, n);
    if (!is_matrix(a, m, n, lead, bytes_of(type)) || (pivots && !is_vector(pivots, k, 8)) ||
        !is_vector(info, 1, 4) || !has_work(device, device_bytes, host, host_bytes, m, n)) {
        return BAD;
    }
    return queue(handle, [=]() {
        std::vector<int> swaps((size_t)k);
        by_type(type, [&](auto zero) {
            *info = factor_lu((int)m, (int)n, (decltype(zero) *)a, (int)lead,
                              pivots ? swaps.data() : nullptr);
        });
        for (int64_t i = 0; pivots && i < k; i++) {
            pivots[i] = swaps[(size_t)i];
        }
    });
}

static cusolverStatus_t cholesky_size(cusolverDnHandle_t, cusolverDnParams_t, cublasFillMode_t,
                                      int64_t n, cudaDataType, const void *, int64_t, cudaDataType,
                                      size_t *device, size_t *host) {
    ask_for(device, host, n, n);
    return CUSOLVER_STATUS_SUCCESS;
}

template <class T> static int factor_cholesky(cublasFillMode_t fill, int n, T *a, int lead) {
    int info = 0;
    lapack<T>("potrf", fill == CUBLAS_FILL_MODE_UPPER ? "U" : "L", &n, a, &lead, &info, (size_t)1);
    return info;
}

static cusolverStatus_t cholesky(cusolverDnHandle_t handle, cusolverDnParams_t,
                                 cublasFillMode_t fill, int64_t n, cudaDataType type, void *a,
                                 int64_t lead, cudaDataType, void *device, size_t device_bytes,
                                 void *host, size_t host_bytes, int *info) {
    if (!is_matrix(a, n, n, lead, bytes_of(type)) || !is_vector(info, 1, 4) ||
        !has_work(device, device_bytes, host, host_bytes, n, n)) {
        return BAD;
    }
    return queue(handle, [=]() {
        by_type(type, [&](auto zero) {
            *info = factor_cholesky(fill, (int)n, (decltype(zero) *)a, (int)lead);
        });
    });
}

template <class T>
static cusolverStatus_t choleskys(cusolverDnHandle_t handle, cublasFillMode_t fill, int n,
                                  void **matrices, int lead, int *info, int count) {
    if (!is_vector(matrices, count, sizeof(void *)) || !is_vector(info, count, 4) || lead < n) {
        return BAD;
    }
    return queue(handle, [=]() {
        for (int i = 0; i < count; i++) {
            bool there = is_matrix(matrices[i], n, n, lead, sizeof(T));
            info[i] = there ? factor_cholesky(fill, n, (T *)matrices[i], lead) : -3;
        }
    });
}

static cusolverStatus_t qr_size(cusolverDnHandle_t, cusolverDnParams_t, int64_t m, int64_t n,
                                cudaDataType, const void *, int64_t, cudaDataType, const void *,
                                cudaDataType, size_t *device, size_t *host) {
    ask_for(device, host, m, n);
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t qr(cusolverDnHandle_t handle, cusolverDnParams_t, int64_t m, int64_t n,
                           cudaDataType type, void *a, int64_t lead, cudaDataType, void *tau,
                           cudaDataType, void *device, size_t device_bytes, void *host,
                           size_t host_bytes, int *info) {
    if (!is_matrix(a, m, n, lead, bytes_of(type)) ||
        !is_vector(tau, std::min(m, n), bytes_of(type)) || !is_vector(info, 1, 4) ||
        !has_work(device, device_bytes, host, host_bytes, m, n)) {
        return BAD;
    }
    return queue(handle, [=]() {
        by_type(type, [&](auto zero) {
            typedef decltype(zero) T;
            int rows = (int)m, columns = (int)n, ld = (int)lead, size = columns * 64;
            std::vector<T> work((size_t)size);
            lapack<T>("geqrf", &rows, &columns, (T *)a, &ld, (T *)tau, work.data(), &size, info);
        });
    });
}

/* Of functions that count work memory in elements. */
static int elements(int64_t n) { return (int)(40 * n); }

template <class T>
static cusolverStatus_t q_size(cusolverDnHandle_t, int m, int n, int k, const void *, int,
                               const void *, int *size) {
    *size = elements(n);
    return m >= n && n >= k ? CUSOLVER_STATUS_SUCCESS : BAD;
}

template <class T>
static cusolverStatus_t q(cusolverDnHandle_t handle, int m, int n, int k, void *a, int lead,
                          const void *tau, void *work, int size, int *info) {
    if (m < n || n < k || !is_matrix(a, m, n, lead, sizeof(T)) || !is_vector(tau, k, sizeof(T)) ||
        size < elements(n) || !is_vector(work, size, sizeof(T)) || !is_vector(info, 1, 4)) {
        return BAD;
    }
    return queue(handle, [=]() {
        int rows = m, columns = n, vectors = k, ld = lead, room = size;
        lapack<T>(Typed<T>::COMPLEX ? "ungqr" : "orgqr", &rows, &columns, &vectors, (T *)a, &ld,
                  (const T *)tau, (T *)work, &room, info);
    });
}

template <class T>
static cusolverStatus_t ldl_size(cusolverDnHandle_t, int n, void *, int, int *size) {
    *size = elements(n);
    return CUSOLVER_STATUS_SUCCESS;
}

template <class T>
static cusolverStatus_t ldl(cusolverDnHandle_t handle, cublasFillMode_t fill, int n, void *a,
                            int lead, int *pivots, void *work, int size, int *info) {
    if (!is_matrix(a, n, n, lead, sizeof(T)) || !is_vector(pivots, n, 4) || size < elements(n) ||
        !is_vector(work, size, sizeof(T)) || !is_vector(info, 1, 4)) {
        return BAD;
    }
    return queue(handle, [=]() {
        int order = n, ld = lead, room = size;
        lapack<T>("sytrf", fill == CUBLAS_FILL_MODE_UPPER ? "U" : "L", &order, (T *)a, &ld, pivots,
                  (T *)work, &room, info, (size_t)1);
    });
}

static cusolverStatus_t ldl_solve_size(cusolverDnHandle_t, cublasFillMode_t, int64_t n, int64_t k,
                                       cudaDataType, const void *, int64_t, const int64_t *,
                                       cudaDataType, void *, int64_t, size_t *device,
                                       size_t *host) {
    ask_for(device, host, n, k);
    return CUSOLVER_STATUS_SUCCESS;
}

static cusolverStatus_t ldl_solve(cusolverDnHandle_t handle, cublasFillMode_t fill, int64_t n,
                                  int64_t k, cudaDataType type, const void *a, int64_t lead,
                                  const int64_t *pivots, cudaDataType, void *x, int64_t x_lead,
                                  void *device, size_t device_bytes, void *host, size_t host_bytes,
                                  int *info) {
    if (!is_matrix(a, n, n, lead, bytes_of(type)) || !is_matrix(x, n, k, x_lead, bytes_of(type)) ||
        !is_vector(pivots, n, 8) || !is_vector(info, 1, 4) ||
        !has_work(device, device_bytes, host, host_bytes, n, k)) {
        return BAD;
    }
    return queue(handle, [=]() {
        std::vector<int> swaps(pivots, pivots + n);
        by_type(type, [&](auto zero) {
            typedef decltype(zero) T;
            int order = (int)n, columns = (int)k, ld = (int)lead, ldx = (int)x_lead;
            lapack<T>("sytrs", fill == CUBLAS_FILL_MODE_UPPER ? "U" : "L", &order, &columns,
                      (const T *)a, &ld, swaps.data(), (T *)x, &ldx, info, (size_t)1);
        });
    });
}

static const StandIns solver_functions({
    {"cusolverDnCreate", solver_create},
    {"cusolverDnSetStream", solver_set_stream},
    {"cusolverDnCreateParams", solver_create_params},
    {"cusolverDnXgetrf_bufferSize", lu_size},
    {"cusolverDnXgetrf", lu},
    {"cusolverDnXpotrf_bufferSize", cholesky_size},
    {"cusolverDnXpotrf", cholesky},
    {"cusolverDnXgeqrf_bufferSize", qr_size},
    {"cusolverDnXgeqrf", qr},
    {"cusolverDnXsytrs_bufferSize", ldl_solve_size},
    {"cusolverDnXsytrs", ldl_solve},
    {"cusolverDnSorgqr_bufferSize", q_size<float>},
    {"cusolverDnDorgqr_bufferSize", q_size<double>},
    {"cusolverDnCungqr_bufferSize", q_size<std::complex<float>>},
    {"cusolverDnZungqr_bufferSize", q_size<std::complex<double>>},
    {"cusolverDnSorgqr", q<float>},
    {"cusolverDnDorgqr", q<double>},
    {"cusolverDnCungqr", q<std::complex<float>>},
    {"cusolverDnZungqr", q<std::complex<double>>},
    {"cusolverDnSsytrf_bufferSize", ldl_size<float>},
    {"cusolverDnDsytrf_bufferSize", ldl_size<double>},
    {"cusolverDnCsytrf_bufferSize", ldl_size<std::complex<float>>},
    {"cusolverDnZsytrf_bufferSize", ldl_size<std::complex<double>>},
    {"cusolverDnSsytrf", ldl<float>},
    {"cusolverDnDsytrf", ldl<double>},
    {"cusolverDnCsytrf", ldl<std::complex<float>>},
    {"cusolverDnZsytrf", ldl<std::complex<double>>},
    {"cusolverDnSpotrfBatched", choleskys<float>},
    {"cusolverDnDpotrfBatched", choleskys<double>},
    {"cusolverDnCpotrfBatched", choleskys<std::complex<float>>},
    {"cusolverDnZpotrfBatched", choleskys<std::complex<double>>},
});

} // namespace hostgpu
