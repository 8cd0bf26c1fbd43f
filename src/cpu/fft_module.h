#ifndef TOCHA_CPU_FFT_MODULE_H
#define TOCHA_CPU_FFT_MODULE_H
/*
 * The modules that compute Fourier transforms with pocketfft: lib/tocha/tocha_fft_<isa>.so, for
 * AVX2 and for the baseline. They are libraries of their own because the linker keeps one copy of
 * each C++ template, which could be the one for the wrong processor, and because start-up need not
 * load the C++ library. This header is all that they share with the engine.
 */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FFT_ABI = 1, FFT_DIMS = 9 };
#define FFT_OPEN "tocha_fft_open"

typedef enum { FFT_COMPLEX, FFT_FROM_REAL, FFT_TO_REAL } FftKind;
typedef enum { FFT_DONE, FFT_NO_MEMORY, FFT_FAILED } FftStatus;

/* Transforms along the last dim; strides in bytes. */
typedef struct FftCall {
    FftKind kind;
    int wide;    /* numbers of double precision */
    int inverse; /* exponents of the other sign; FFT_TO_REAL has that always, FFT_FROM_REAL never */
    int dims;
    size_t shape[FFT_DIMS]; /* of the real side where there is one; no entry is 0 */
    ptrdiff_t in_stride[FFT_DIMS], out_stride[FFT_DIMS];
    const void *in;
    void *out; /* shares no memory with in */
    double scale;
} FftCall;

/* What a module calls, from any thread: memory aligned to 64 bytes, NULL where there is none. */
typedef struct FftHost {
    void *(*alloc)(size_t bytes);
    void (*release)(void *block, size_t bytes);
} FftHost;

typedef struct FftModule {
    int abi;
    int lanes[2]; /* lines that are computed side by side: of float, of double */
    /* What run needs for lines of n numbers is made, once for all threads. */
    FftStatus (*prepare)(FftKind kind, int wide, size_t n);
    /* From any thread. Lines in groups of lanes, in row-major order; those of the last group that
     * are fewer may differ from the others in the last bits. */
    FftStatus (*run)(const FftCall *call);
    /* Gives back what is too large to keep until the next call. */
    void (*trim)(void);
} FftModule;

typedef const FftModule *FftOpen(const FftHost *host);

#ifdef __cplusplus
}
#endif
#endif
