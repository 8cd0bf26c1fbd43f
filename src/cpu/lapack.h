#ifndef TOCHA_CPU_LAPACK_H
#define TOCHA_CPU_LAPACK_H
/* The routines of LAPACK that the kernels call, in both precisions. Matrices are column-major;
 * arguments go by reference, and the lengths of strings follow behind the others. */
#include <stdbool.h>
#include <stddef.h>

#define LAPACK_TABLE(Name, real)                                                                   \
    typedef struct Name {                                                                          \
        void (*getrf)(const int *m, const int *n, real *a, const int *lda, int *ipiv, int *info);  \
        void (*getri)(const int *n, real *a, const int *lda, const int *ipiv, real *work,          \
                      const int *lwork, int *info);                                                \
        void (*getrs)(const char *trans, const int *n, const int *nrhs, const real *a,             \
                      const int *lda, const int *ipiv, real *b, const int *ldb, int *info,         \
                      size_t);                                                                     \
        void (*potrf)(const char *uplo, const int *n, real *a, const int *lda, int *info, size_t); \
        void (*trtrs)(const char *uplo, const char *trans, const char *diag, const int *n,         \
                      const int *nrhs, const real *a, const int *lda, real *b, const int *ldb,     \
                      int *info, size_t, size_t, size_t);                                          \
        void (*geqrf)(const int *m, const int *n, real *a, const int *lda, real *tau, real *work,  \
                      const int *lwork, int *info);                                                \
        void (*orgqr)(const int *m, const int *n, const int *k, real *a, const int *lda,           \
                      const real *tau, real *work, const int *lwork, int *info);                   \
        void (*gesdd)(const char *jobz, const int *m, const int *n, real *a, const int *lda,       \
                      real *s, real *u, const int *ldu, real *vt, const int *ldvt, real *work,     \
                      const int *lwork, int *iwork, int *info, size_t);                            \
        void (*syevd)(const char *jobz, const char *uplo, const int *n, real *a, const int *lda,   \
                      real *w, real *work, const int *lwork, int *iwork, const int *liwork,        \
                      int *info, size_t, size_t);                                                  \
        void (*geev)(const char *jobvl, const char *jobvr, const int *n, real *a, const int *lda,  \
                     real *wr, real *wi, real *vl, const int *ldvl, real *vr, const int *ldvr,     \
                     real *work, const int *lwork, int *info, size_t, size_t);                     \
        void (*gelsy)(const int *m, const int *n, const int *nrhs, real *a, const int *lda,        \
                      real *b, const int *ldb, int *jpvt, const real *rcond, int *rank,            \
                      real *work, const int *lwork, int *info);                                    \
        void (*gelsd)(const int *m, const int *n, const int *nrhs, real *a, const int *lda,        \
                      real *b, const int *ldb, real *s, const real *rcond, int *rank, real *work,  \
                      const int *lwork, int *iwork, int *info);                                    \
        void (*sytrf)(const char *uplo, const int *n, real *a, const int *lda, int *ipiv,          \
                      real *work, const int *lwork, int *info, size_t);                            \
        void (*sytrs)(const char *uplo, const int *n, const int *nrhs, const real *a,              \
                      const int *lda, const int *ipiv, real *b, const int *ldb, int *info,         \
                      size_t);                                                                     \
    } Name;

LAPACK_TABLE(LapackS, float)
LAPACK_TABLE(LapackD, double)

/* Complex numbers; real is the type of their parts. */
#define LAPACK_COMPLEX_TABLE(Name, complex, real)                                               \
    typedef struct Name {                                                                       \
        void (*getrf)(const int *m, const int *n, complex *a, const int *lda, int *ipiv,        \
                      int *info);                                                               \
        void (*getri)(const int *n, complex *a, const int *lda, const int *ipiv, complex *work, \
                      const int *lwork, int *info);                                             \
        void (*getrs)(const char *trans, const int *n, const int *nrhs, const complex *a,       \
                      const int *lda, const int *ipiv, complex *b, const int *ldb, int *info,   \
                      size_t);                                                                  \
        void (*potrf)(const char *uplo, const int *n, complex *a, const int *lda, int *info,    \
                      size_t);                                                                  \
        void (*trtrs)(const char *uplo, const char *trans, const char *diag, const int *n,      \
                      const int *nrhs, const complex *a, const int *lda, complex *b,            \
                      const int *ldb, int *info, size_t, size_t, size_t);                       \
        void (*geqrf)(const int *m, const int *n, complex *a, const int *lda, complex *tau,     \
                      complex *work, const int *lwork, int *info);                              \
        void (*orgqr)(const int *m, const int *n, const int *k, complex *a, const int *lda,     \
                      const complex *tau, complex *work, const int *lwork, int *info);          \
        void (*gesdd)(const char *jobz, const int *m, const int *n, complex *a, const int *lda, \
                      real *s, complex *u, const int *ldu, complex *vt, const int *ldvt,        \
                      complex *work, const int *lwork, real *rwork, int *iwork, int *info,      \
                      size_t);                                                                  \
        void (*heevd)(const char *jobz, const char *uplo, const int *n, complex *a,             \
                      const int *lda, real *w, complex *work, const int *lwork, real *rwork,    \
                      const int *lrwork, int *iwork, const int *liwork, int *info, size_t,      \
                      size_t);                                                                  \
        void (*geev)(const char *jobvl, const char *jobvr, const int *n, complex *a,            \
                     const int *lda, complex *w, complex *vl, const int *ldvl, complex *vr,     \
                     const int *ldvr, complex *work, const int *lwork, real *rwork, int *info,  \
                     size_t, size_t);                                                           \
        void (*gelsy)(const int *m, const int *n, const int *nrhs, complex *a, const int *lda,  \
                      complex *b, const int *ldb, int *jpvt, const real *rcond, int *rank,      \
                      complex *work, const int *lwork, real *rwork, int *info);                 \
        void (*gelsd)(const int *m, const int *n, const int *nrhs, complex *a, const int *lda,  \
                      complex *b, const int *ldb, real *s, const real *rcond, int *rank,        \
                      complex *work, const int *lwork, real *rwork, int *iwork, int *info);     \
        void (*sytrf)(const char *uplo, const int *n, complex *a, const int *lda, int *ipiv,    \
                      complex *work, const int *lwork, int *info, size_t);                      \
        void (*sytrs)(const char *uplo, const int *n, const int *nrhs, const complex *a,        \
                      const int *lda, const int *ipiv, complex *b, const int *ldb, int *info,   \
                      size_t);                                                                  \
        void (*hetrf)(const char *uplo, const int *n, complex *a, const int *lda, int *ipiv,    \
                      complex *work, const int *lwork, int *info, size_t);                      \
        void (*hetrs)(const char *uplo, const int *n, const int *nrhs, const complex *a,        \
                      const int *lda, const int *ipiv, complex *b, const int *ldb, int *info,   \
                      size_t);                                                                  \
        void (*gemm)(const char *transa, const char *transb, const int *m, const int *n,        \
                     const int *k, const complex *alpha, const complex *a, const int *lda,      \
                     const complex *b, const int *ldb, const complex *beta, complex *c,         \
                     const int *ldc, size_t, size_t);                                           \
    } Name;

LAPACK_COMPLEX_TABLE(LapackC, float _Complex, float)
LAPACK_COMPLEX_TABLE(LapackZ, double _Complex, double)

/* NULL with an error where OpenBLAS is missing or was built without LAPACK. */
const LapackS *lapack_s(void);
const LapackD *lapack_d(void);
const LapackC *lapack_c(void);
const LapackZ *lapack_z(void);
#endif
