#ifndef TOCHA_KERNELS_FFT_H
#define TOCHA_KERNELS_FFT_H
/* The loops of Fourier transforms. Everything is computed on a panel: many transforms of one length
 * side by side, one a lane of the widest vectors, real and imaginary parts apart: element i is the
 * vector of all lanes' real parts, then that of their imaginary parts. A butterfly is then the same
 * arithmetic on whole vectors for any radix, and needs no shuffling. Lanes are lines of a batch,
 * the columns or rows of a long transform, or the decimated parts of a single one.
 *
 * All transforms are forward ones, sum x[j] e^(-2 pi i j k / n). An inverse one is a forward one
 * with real and imaginary parts exchanged before and after: loads and stores do that when swap is
 * set. */
#include <stdbool.h>
#include <stdint.h>

/* Largest radix, factors of a panel's length, lanes of the widest vectors of the narrowest type. */
enum { FFT_MOST_RADIX = 31, FFT_MOST_FACTORS = 32, FFT_MOST_LANES = 16 };

/* A panel's transform: its factors, and for each stage the twiddles of its butterflies: for p from
 * 0 to n / factor, powers 1 to factor - 1 of e^(-2 pi i p / n), n the length that is left. */
typedef struct FftPanel {
    int64_t n;
    int n_factors, factor[FFT_MOST_FACTORS];
    const void *twiddle[FFT_MOST_FACTORS];
    const void
        *roots[FFT_MOST_FACTORS]; /* the factor's roots of unity; NULL: it has its own code */
} FftPanel;

/* Lines of complex numbers, as pairs of parts; steps count parts. */
typedef struct FftLines {
    void *line[FFT_MOST_LANES];
    int count;     /* lines; the lanes beyond hold anything */
    int64_t step;  /* from one element of a line to the next */
    bool adjacent; /* line k + 1 begins right behind the first element of line k */
} FftLines;

typedef struct FftKernels {
    int64_t lanes, part; /* lanes of a panel; bytes of a part */
    /* n elements of all lines into a panel, and back, multiplied by scale. */
    void (*load)(const FftLines *from, int64_t n, bool swap, void *panel);
    void (*store)(const FftLines *to, int64_t n, bool swap, double scale, const void *panel);
    /* Transforms panel; work is as large. The one of the two that holds the result. */
    void *(*run)(const FftPanel *plan, void *panel, void *work);
    /* A single transform of split * n elements, its panel holding element split * i + lane as (i,
     * lane), read from and written to contiguous memory. load_split fills such a panel of which
     * split lanes are used; join makes the result out of the transformed one, with twist, for each
     * group of lanes elements and each part the vectors of e^(-2 pi i part k / (split n)). */
    void (*load_split)(const void *from, int64_t n, int64_t split, bool swap, void *panel);
    void (*join)(const void *panel, int64_t n, int64_t split, const void *twist, const void *roots,
                 bool swap, double scale, void *to);
    /* Multiplies element i of every lane by base[i] (pairs of doubles) times lane[i], vectors. */
    void (*twist)(void *panel, int64_t n, const double *base, const void *lane);
    /* The transform of 2n real numbers from that of the n pairs of them, of all lanes; panel has n
     * + 1 elements. turn: pairs e^(-2 pi i k / 2n) for k up to n / 2. */
    void (*split_real)(void *panel, int64_t n, const void *turn);
    /* The other way: n + 1 elements become n whose inverse transform is the pairs of 2n real
     * numbers; real and imaginary parts are left exchanged for it. */
    void (*merge_real)(void *panel, int64_t n, const void *turn);
} FftKernels;
#endif
