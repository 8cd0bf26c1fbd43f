#ifndef TOCHA_BASE_TLS_H
#define TOCHA_BASE_TLS_H

/*
 * A thread-local variable that costs one load even inside a shared library. The whole library's
 * thread-local block then lives in the small surplus that the loader keeps for late libraries
 * (some 1,600 bytes for all of them together), so only pointers, counters and flags may be
 * thread-local: anything bigger is allocated and pointed to.
 */
#ifdef __cplusplus
    #define THREAD_LOCAL thread_local /* declarations in passing: kernels touch none */
#else
    #define THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#endif

#endif
