#ifndef TOCHA_BASE_BLAS_H
#define TOCHA_BASE_BLAS_H

/*
 * OpenBLAS, loaded at the first product and not before: it must be told its core first, and
 * start-up stays short. Its own threads are off; callers split work over the pool (base/threads.h),
 * and all functions here may be called from several threads at once.
 */

enum { BLAS_ROW_MAJOR = 101, BLAS_COL_MAJOR = 102 };
enum { BLAS_NO_TRANS = 111, BLAS_TRANS = 112 };

typedef void SgemmFn(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                     const float *a, int lda, const float *b, int ldb, float beta, float *c,
                     int ldc);
typedef void DgemmFn(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                     const double *a, int lda, const double *b, int ldb, double beta, double *c,
                     int ldc);
typedef void SgemvFn(int order, int trans, int m, int n, float alpha, const float *a, int lda,
                     const float *x, int incx, float beta, float *y, int incy);
typedef void DgemvFn(int order, int trans, int m, int n, double alpha, const double *a, int lda,
                     const double *x, int incx, double beta, double *y, int incy);
typedef void SgerFn(int order, int m, int n, float alpha, const float *x, int incx, const float *y,
                    int incy, float *a, int lda);
typedef void DgerFn(int order, int m, int n, double alpha, const double *x, int incx,
                    const double *y, int incy, double *a, int lda);
typedef float SdotFn(int n, const float *x, int incx, const float *y, int incy);
typedef double DdotFn(int n, const double *x, int incx, const double *y, int incy);
typedef void SaxpyFn(int n, float alpha, const float *x, int incx, float *y, int incy);
typedef void DaxpyFn(int n, double alpha, const double *x, int incx, double *y, int incy);

typedef struct {
    SgemmFn *sgemm;
    DgemmFn *dgemm;
    SgemvFn *sgemv;
    DgemvFn *dgemv;
    SgerFn *sger;
    DgerFn *dger;
    SdotFn *sdot;
    DdotFn *ddot;
    SaxpyFn *saxpy;
    DaxpyFn *daxpy;
} Blas;

typedef struct {
    const char *library; /* path of the loaded library */
    const char *core;    /* kernels it chose, such as "SkylakeX" */
    const char *config;  /* its version and build options */
} BlasInfo;

/* The loaded library, opened at the first call. NULL with an error that names what to install. */
const Blas *blas(void);

/* A further symbol of the library (LAPACK, say), or NULL with an error. */
void *blas_symbol(const char *name);

/* What was loaded, loading it if need be. NULL with an error as blas(). Owned by the module. */
const BlasInfo *blas_info(void);

#endif
