#include "cpu/fft_plan.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/fft_line.h"
#include "cpu/kernels/isa_name.h"

ISA_DECLARE(const FftKernels, fft_float);
ISA_DECLARE(const FftKernels, fft_double);

enum {
    MOST_BYTES = (1 << 20) + (1 << 12), /* of two panels: more would not stay in the cache */
    KEPT_PLANS = 32,
    KEPT_BYTES = 16 << 20 /* larger plans are not kept */
};

/* e^(-2 pi i k / n) for 0 <= k < n, from an angle of at most an eighth of the circle. */
static void unit_root(int64_t k, int64_t n, double *root) {
    int64_t t = 8 * k; /* the circle has 8 n of these */
    bool below = t > 4 * n;
    t = below ? 8 * n - t : t;
    bool left = t > 2 * n;
    t = left ? 4 * n - t : t;
    bool steep = t > n;
    t = steep ? 2 * n - t : t;
    double angle = (double)t * (M_PI / 4) / (double)n;
    double c = cos(angle), s = sin(angle);
    double re = steep ? s : c, im = steep ? c : s;
    root[0] = left ? -re : re;
    root[1] = below ? im : -im;
}

static void *plan_alloc(FftPlan *p, size_t bytes) {
    if (p->n_blocks == FFT_MOST_BLOCKS) {
        fail("fft: a plan has too many parts");
        return NULL;
    }
    void *block = mem_alloc(bytes);
    if (block) {
        p->block[p->n_blocks] = block;
        p->block_bytes[p->n_blocks++] = bytes;
        p->bytes += bytes;
    }
    return block;
}

static void set_part(const FftPlan *p, void *table, int64_t i, double value) {
    if (p->k->part == sizeof(float)) {
        ((float *)table)[i] = (float)value;
    } else {
        ((double *)table)[i] = value;
    }
}

static void set_root(const FftPlan *p, void *table, int64_t i, int64_t k, int64_t n) {
    double root[2];
    unit_root(k % n, n, root);
    set_part(p, table, 2 * i, root[0]);
    set_part(p, table, 2 * i + 1, root[1]);
}

/* count pairs e^(-2 pi i k / n). */
static void *roots_table(FftPlan *p, int64_t count, int64_t n) {
    void *table = plan_alloc(p, (size_t)(2 * count * p->k->part));
    for (int64_t k = 0; table && k < count; k++) {
        set_root(p, table, k, k, n);
    }
    return table;
}

/* One lane of the vectors e^(-2 pi i k / n). */
static void set_lane(const FftPlan *p, void *table, int64_t row, int64_t lane, int64_t k,
                     int64_t n) {
    double root[2];
    unit_root(k % n, n, root);
    set_part(p, table, 2 * p->k->lanes * row + lane, root[0]);
    set_part(p, table, 2 * p->k->lanes * row + p->k->lanes + lane, root[1]);
}

/* Powers of 2 as eights and fours, then the odd primes; false where one is too large. */
static bool factorize(int64_t n, int *factor, int *count) {
    int twos = __builtin_ctzll((unsigned long long)n);
    *count = 0;
    n >>= twos;
    while (twos > 0) {
        int bits = twos == 1 ? 1 : twos == 2 || twos == 4 ? 2 : 3;
        factor[(*count)++] = 1 << bits;
        twos -= bits;
    }
    for (int prime = 3; prime <= FFT_MOST_RADIX; prime += 2) {
        while (n % prime == 0) {
            factor[(*count)++] = prime;
            n /= prime;
        }
    }
    return n == 1;
}

static bool has_own_code(int radix) { return radix <= 5 || radix == 8 || radix == 16; }

static bool panel_init(FftPlan *p, FftPanel *panel, int64_t n) {
    panel->n = n;
    factorize(n, panel->factor, &panel->n_factors);
    int64_t left = n;
    for (int f = 0; f < panel->n_factors; f++) {
        int r = panel->factor[f];
        int64_t m = left / r;
        void *table = plan_alloc(p, (size_t)(2 * m * (r - 1) * p->k->part));
        if (!table) {
            return false;
        }
        for (int64_t i = 0; i < m; i++) {
            for (int k = 1; k < r; k++) {
                set_root(p, table, i * (r - 1) + k - 1, i * k, left);
            }
        }
        panel->twiddle[f] = table;
        panel->roots[f] = has_own_code(r) ? NULL : roots_table(p, r, r);
        if (!has_own_code(r) && !panel->roots[f]) {
            return false;
        }
        left = m;
    }
    return true;
}

static int64_t largest_divisor(int64_t n, int64_t most) {
    int64_t d = n < most ? n : most;
    while (n % d != 0) {
        d--;
    }
    return d;
}

static int64_t panel_bytes(const FftPlan *p, int64_t n) {
    return 2 * (n + 1) * 2 * p->k->lanes * p->k->part;
}

static bool init_panel(FftPlan *p) {
    int64_t lanes = p->k->lanes, split = largest_divisor(p->n, lanes), m = p->n / split;
    int64_t groups = (m + lanes - 1) / lanes;
    p->kind = FFT_PANEL;
    p->split = split;
    p->batch.n = 0;
    if (panel_bytes(p, p->n) <= MOST_BYTES && !panel_init(p, &p->batch, p->n)) {
        return false;
    }
    void *twist = plan_alloc(p, (size_t)(2 * lanes * split * groups * p->k->part));
    if (!twist || !panel_init(p, &p->inner, m)) {
        return false;
    }
    for (int64_t k = 0; k < groups * lanes; k++) {
        for (int64_t l = 0; l < split; l++) {
            set_lane(p, twist, k / lanes * split + l, k % lanes, k * l, p->n);
        }
    }
    p->twist = twist;
    p->split_roots = roots_table(p, split, split);
    return p->split_roots != NULL;
}

/* The divisor of n that makes the squarest matrix. */
static int64_t square_divisor(int64_t n) {
    return largest_divisor(n, (int64_t)sqrt((double)n) + 1);
}

static bool init_long(FftPlan *p) {
    int64_t rows = square_divisor(p->n), columns = p->n / rows, lanes = p->k->lanes;
    p->kind = FFT_LONG;
    while ((int64_t)1 << (2 * p->fine_bits) < p->n) {
        p->fine_bits++;
    }
    int64_t fine_count = (int64_t)1 << p->fine_bits, coarse_count = (p->n >> p->fine_bits) + 1;
    double *fine = plan_alloc(p, (size_t)(2 * fine_count) * sizeof *fine);
    double *coarse = plan_alloc(p, (size_t)(2 * coarse_count) * sizeof *coarse);
    void *lane = plan_alloc(p, (size_t)(2 * lanes * columns * p->k->part));
    if (!fine || !coarse || !lane || !panel_init(p, &p->columns, columns) ||
        !panel_init(p, &p->rows, rows)) {
        return false;
    }
    for (int64_t k = 0; k < fine_count; k++) {
        unit_root(k % p->n, p->n, fine + 2 * k);
    }
    for (int64_t k = 0; k < coarse_count; k++) {
        unit_root((k << p->fine_bits) % p->n, p->n, coarse + 2 * k);
    }
    for (int64_t k = 0; k < columns; k++) {
        for (int64_t l = 0; l < lanes; l++) {
            set_lane(p, lane, k, l, k * l, p->n);
        }
    }
    p->fine = fine;
    p->coarse = coarse;
    p->lane = lane;
    return true;
}

/* The transform of the conjugate chirp, by 1 / m of an inverse transform to come. */
static bool make_kernel(FftPlan *p, const double *chirp) {
    int64_t m = p->convolution->n;
    size_t bytes = (size_t)(2 * m * p->k->part);
    void *kernel = plan_alloc(p, bytes), *line = mem_zalloc(bytes);
    for (int64_t j = 0; kernel && line && j < p->n; j++) {
        const int64_t places[] = {j, (m - j) % m};
        for (int side = 0; side < 2; side++) {
            set_part(p, line, 2 * places[side], chirp[2 * j]);
            set_part(p, line, 2 * places[side] + 1, -chirp[2 * j + 1]);
        }
    }
    bool ok = kernel && line && fft_line(p->convolution, line, kernel, false, 1.0 / (double)m);
    mem_free(line, bytes);
    p->kernel = kernel;
    return ok;
}

static bool init_chirp(FftPlan *p) {
    int64_t m = 1;
    while (m < 2 * p->n - 1) {
        m *= 2;
    }
    p->kind = FFT_CHIRP;
    p->convolution = fft_plan_get(m, (size_t)p->k->part);
    size_t bytes = (size_t)(2 * p->n) * sizeof(double);
    double *exact = mem_alloc(bytes);
    void *chirp = plan_alloc(p, (size_t)(2 * p->n * p->k->part));
    bool ok = p->convolution && exact && chirp;
    int64_t square = 0; /* of j, among 2n */
    for (int64_t j = 0; ok && j < p->n; j++) {
        unit_root(square, 2 * p->n, exact + 2 * j);
        set_part(p, chirp, 2 * j, exact[2 * j]);
        set_part(p, chirp, 2 * j + 1, exact[2 * j + 1]);
        square = (square + 2 * j + 1) % (2 * p->n);
    }
    ok = ok && make_kernel(p, exact);
    p->chirp = chirp;
    mem_free(exact, bytes);
    return ok;
}

static void plan_free(FftPlan *p) {
    for (int i = 0; i < p->n_blocks; i++) {
        mem_free(p->block[i], p->block_bytes[i]);
    }
    if (p->convolution) {
        fft_plan_give(p->convolution);
    }
    mem_free(p, sizeof *p);
}

static FftPlan *plan_new(int64_t n, size_t part) {
    int factor[64], count;
    FftPlan *p = mem_zalloc(sizeof *p);
    if (!p) {
        return NULL;
    }
    p->n = n;
    p->k = part == sizeof(float) ? ISA_PICK(fft_float) : ISA_PICK(fft_double);
    p->refs = 1;
    p->bytes = sizeof *p;
    bool ok;
    if (!factorize(n, factor, &count)) {
        ok = init_chirp(p);
    } else {
        int64_t split = largest_divisor(n, p->k->lanes);
        ok = panel_bytes(p, n / split) <= MOST_BYTES ? init_panel(p) : init_long(p);
    }
    ok = ok && (p->turn = roots_table(p, n / 2 + 1, 2 * n)) != NULL;
    if (!ok) {
        plan_free(p);
        return NULL;
    }
    return p;
}

/* The plans used last, the latest first. */
static struct {
    pthread_mutex_t lock;
    FftPlan *plan[KEPT_PLANS];
    int n;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static FftPlan *cache_find(int64_t n, size_t part) {
    for (int i = 0; i < cache.n; i++) {
        FftPlan *p = cache.plan[i];
        if (p->n == n && (size_t)p->k->part == part) {
            memmove(cache.plan + 1, cache.plan, (size_t)i * sizeof *cache.plan);
            cache.plan[0] = p;
            p->refs++;
            return p;
        }
    }
    return NULL;
}

/* The plan that had to go, whose last reference it may be. */
static FftPlan *cache_add(FftPlan *p) {
    FftPlan *gone = cache.n == KEPT_PLANS ? cache.plan[--cache.n] : NULL;
    memmove(cache.plan + 1, cache.plan, (size_t)cache.n * sizeof *cache.plan);
    cache.plan[0] = p;
    cache.n++;
    p->refs++;
    return gone;
}

FftPlan *fft_plan_get(int64_t n, size_t part) {
    pthread_mutex_lock(&cache.lock);
    FftPlan *p = cache_find(n, part);
    pthread_mutex_unlock(&cache.lock);
    if (p) {
        return p;
    }
    p = plan_new(n, part);
    if (p && p->bytes <= KEPT_BYTES) {
        pthread_mutex_lock(&cache.lock);
        FftPlan *gone = cache_add(p);
        pthread_mutex_unlock(&cache.lock);
        if (gone) {
            fft_plan_give(gone);
        }
    }
    return p;
}

void fft_plan_give(FftPlan *p) {
    pthread_mutex_lock(&cache.lock);
    bool last = --p->refs == 0;
    pthread_mutex_unlock(&cache.lock);
    if (last) {
        plan_free(p);
    }
}

bool fft_suits_batch(const FftPlan *p) { return p->kind == FFT_PANEL && p->batch.n > 0; }
