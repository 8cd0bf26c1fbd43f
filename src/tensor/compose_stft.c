/* Short-time Fourier transforms. */
#include <math.h>
#include <string.h>

#include "tensor/op.h"

/* What both directions are given: of their own or by default. */
typedef struct Frames {
    const char *name;
    int64_t n_fft, hop, win;
    Tensor *window; /* of n_fft weights; NULL: ones */
    bool center, normalized;
} Frames;

static int64_t given_or(const Arg *a, int64_t fallback) {
    return a->kind == ARG_NONE ? fallback : a->i;
}

/* t with left and right zeros around its last dim. */
static Tensor *with_zeros(Tensor *t, int64_t left, int64_t right) {
    if (!t || (left == 0 && right == 0)) {
        return t;
    }
    int64_t shape[MAX_DIMS];
    memcpy(shape, t->shape, sizeof shape);
    Ints size = {shape, t->dim};
    shape[t->dim - 1] = left;
    Tensor *before = t_zeros(size, t->dtype, t->device, false);
    shape[t->dim - 1] = right;
    Tensor *behind = t_zeros(size, t->dtype, t->device, false);
    Tensor *all[] = {before, t, behind};
    return before && behind ? t_cat((TensorList){all, 3}, -1) : NULL;
}

/* Arguments n_fft, hop_length, win_length, window of a, from the second on. */
static bool read_frames(const char *name, const Arg *a, Frames *f) {
    f->name = name;
    f->n_fft = a[1].i;
    f->hop = given_or(&a[2], f->n_fft / 4);
    f->win = given_or(&a[3], f->n_fft);
    f->window = a[4].kind == ARG_NONE ? NULL : a[4].t;
    f->center = a[5].b;
    if (f->n_fft < 1) {
        return fail("%s: n_fft must be at least 1, got %lld", name, (long long)f->n_fft);
    }
    if (f->hop < 1) {
        return fail("%s: hop_length must be at least 1, got %lld", name, (long long)f->hop);
    }
    if (f->win < 1 || f->win > f->n_fft) {
        return fail("%s: win_length must be in [1, %lld], the size n_fft, got %lld", name,
                    (long long)f->n_fft, (long long)f->win);
    }
    if (f->window && (f->window->dim != 1 || f->window->shape[0] != f->win)) {
        return fail("%s: window must be a vector of win_length = %lld weights, got shape %s", name,
                    (long long)f->win, shape_text(tensor_shape(f->window)));
    }
    return true;
}

/* The window of n_fft weights for tensors like t; NULL without an error: ones. */
static bool fit_window(Frames *f, const Tensor *t) {
    if (!f->window && f->win == f->n_fft) {
        return true;
    }
    if (!f->window) {
        f->window = t_ones(INTS(f->win), dtype_real_of(t->dtype), t->device, false);
    }
    int64_t left = (f->n_fft - f->win) / 2;
    f->window = with_zeros(f->window, left, f->n_fft - f->win - left);
    return f->window != NULL;
}

static Tensor *as_inexact(const char *name, Tensor *t) {
    if (t->dtype != DT_FLOAT32 && t->dtype != DT_FLOAT64 && !dtype_is_complex(t->dtype)) {
        return fail_null("%s: input must be float32, float64, complex64 or complex128, got %s",
                         name, dtype_name(t->dtype));
    }
    return t;
}

static Tensor *reversed(Tensor *t) {
    static const int64_t last = 1;
    return t_flip(t, ints_one(&last));
}

/* x (B, L) continued by n entries at both ends. */
static Tensor *continued(Tensor *x, int64_t n, const char *mode) {
    int64_t size = x->shape[1];
    Tensor *left, *right;
    if (n == 0) {
        return x;
    }
    if (strcmp(mode, "constant") == 0) {
        return with_zeros(x, n, n);
    }
    if (strcmp(mode, "replicate") == 0 && size > 0) {
        Ints shape = INTS(x->shape[0], n);
        left = t_expand(t_narrow(x, 1, 0, 1), shape);
        right = t_expand(t_narrow(x, 1, size - 1, 1), shape);
    } else if (strcmp(mode, "reflect") == 0 && n < size) {
        left = reversed(t_narrow(x, 1, 1, n));
        right = reversed(t_narrow(x, 1, size - 1 - n, n));
    } else if (strcmp(mode, "circular") == 0 && n <= size) {
        left = t_narrow(x, 1, size - n, n);
        right = t_narrow(x, 1, 0, n);
    } else if (strcmp(mode, "reflect") == 0 || strcmp(mode, "circular") == 0 ||
               strcmp(mode, "replicate") == 0) {
        return fail_null("stft: %s cannot continue a signal of %lld entries by n_fft / 2 = %lld; "
                         "use center = false or pad_mode = \"constant\"",
                         mode, (long long)size, (long long)n);
    } else {
        return fail_null("stft: pad_mode must be \"reflect\", \"constant\", \"replicate\" or "
                         "\"circular\", got \"%s\"",
                         mode);
    }
    Tensor *all[] = {left, x, right};
    return left && right ? t_cat((TensorList){all, 3}, 1) : NULL;
}

static const char *norm_of(const Frames *f) { return f->normalized ? "ortho" : NULL; }

Tensor *compose_stft(const Arg *a, Tensor **out) {
    (void)out;
    Frames f = {.normalized = a[7].b};
    Tensor *x = as_inexact("stft", a[0].t);
    if (!x || !read_frames("stft", a, &f)) {
        return NULL;
    }
    if (x->dim != 1 && x->dim != 2) {
        return fail_null("stft: input must have shape (L) or (B, L), got %s",
                         shape_text(tensor_shape(x)));
    }
    if (a[10].kind == ARG_BOOL && f.center) {
        return fail_null("stft: align_to_window is for center = false; leave it out");
    }
    bool single = x->dim == 1;
    x = single ? t_unsqueeze(x, 0) : x;
    x = x && f.center ? continued(x, f.n_fft / 2, a[6].s) : x;
    if (a[10].kind == ARG_BOOL && a[10].b) {
        int64_t left = (f.n_fft - f.win) / 2;
        x = with_zeros(x, left, f.n_fft - f.win - left);
    }
    if (!x || !fit_window(&f, x)) {
        return NULL;
    }
    if (f.n_fft > x->shape[1]) {
        return fail_null("stft: n_fft must be at most %lld, the length of the signal, got %lld",
                         (long long)x->shape[1], (long long)f.n_fft);
    }
    Tensor *frames = t_unfold(x, 1, f.n_fft, f.hop);
    frames = f.window ? t_mul(frames, f.window) : frames;
    bool is_complex = frames && dtype_is_complex(frames->dtype);
    bool onesided = a[8].kind == ARG_NONE ? !is_complex : a[8].b;
    if (onesided && is_complex) {
        return fail_null("stft: onesided is for real numbers; leave it out for complex ones");
    }
    Tensor *f_last = onesided ? t_fft_rfft(frames, arg_none(), -1, norm_of(&f))
                              : t_fft_fft(frames, arg_none(), -1, norm_of(&f));
    Tensor *result = t_transpose(f_last, 1, 2);
    result = single ? t_squeeze(result, ints_one(&(const int64_t){0})) : result;
    return a[9].b ? result : t_view_as_real(result);
}

/* Frames (B, T, n) added up where they overlap: (B, n + hop (T - 1)). */
static Tensor *overlapped(Tensor *frames, int64_t hop) {
    if (!frames) {
        return NULL;
    }
    int64_t batch = frames->shape[0], n = frames->shape[2], all = -1;
    int64_t length = n + hop * (frames->shape[1] - 1);
    Tensor *position = t_arange(arg_int(length), DT_INT64, frames->device, false);
    position = t_reshape(t_unfold(position, 0, n, hop), ints_one(&all));
    Tensor *sum = t_zeros(INTS(batch, length), frames->dtype, frames->device, false);
    return t_index_add(sum, 1, position, t_reshape(frames, INTS(batch, frames->shape[1] * n)));
}

/* False where some weight (1, length) is as good as none. */
static bool covers(const Tensor *weight) {
    Tensor *none = t_any(t_lt(t_abs((Tensor *)weight), tensor_number(1e-11)), NO_INTS, false);
    none = none ? t_move(none, (Device){DEVICE_CPU, 0}) : NULL;
    return none && (!*(const uint8_t *)tensor_data(none) ||
                    fail("istft: the windows leave a part of the signal uncovered; use a smaller "
                         "hop_length, or center = true"));
}

static bool check_spectrum(const Frames *f, const Tensor *x, bool onesided, bool return_complex) {
    int64_t wanted = onesided ? f->n_fft / 2 + 1 : f->n_fft;
    if (!dtype_is_complex(x->dtype)) {
        return fail("istft: input must be complex64 or complex128, got %s; see view_as_complex",
                    dtype_name(x->dtype));
    }
    if (x->shape[x->dim - 2] != wanted || x->shape[x->dim - 1] == 0) {
        return fail("istft: input must have %lld frequencies and at least one frame, got shape %s",
                    (long long)wanted, shape_text(tensor_shape(x)));
    }
    if (f->hop > f->win) {
        return fail("istft: hop_length must be at most win_length = %lld, got %lld",
                    (long long)f->win, (long long)f->hop);
    }
    if (return_complex && onesided) {
        return fail(
            "istft: a onesided spectrum is that of a real signal; leave out return_complex");
    }
    bool complex_window = f->window && dtype_is_complex(f->window->dtype);
    return return_complex || !complex_window ||
           fail("istft: window must be real unless return_complex is true, got %s",
                dtype_name(f->window->dtype));
}

/* The frames of a spectrum (B, F, T): (B, T, n_fft). Of real ones the first half is read. */
static Tensor *frames_of(const Frames *f, Tensor *x, bool return_complex) {
    x = t_transpose(x, 1, 2);
    return return_complex ? t_fft_ifft(x, arg_none(), -1, norm_of(f))
                          : t_fft_irfft(x, arg_int(f->n_fft), -1, norm_of(f));
}

/* signal and weight (B, all) from start on, length entries where it was given. */
static Tensor *divided(Tensor *signal, Tensor *weight, int64_t start, int64_t end,
                       const Arg *length) {
    int64_t all = signal->shape[1], wanted = given_or(length, end - start);
    int64_t have = wanted < all - start ? wanted : all - start;
    if (wanted < 1) {
        return fail_null("istft: length must be at least 1, got %lld", (long long)wanted);
    }
    signal = t_narrow(signal, 1, start, have);
    weight = t_narrow(weight, 1, start, have);
    if (!signal || !weight || !covers(weight)) {
        return NULL;
    }
    return with_zeros(t_div(signal, weight), 0, wanted - have);
}

Tensor *compose_istft(const Arg *a, Tensor **out) {
    (void)out;
    Frames f = {.normalized = a[6].b};
    Tensor *x = a[0].t;
    bool return_complex = a[9].b;
    if (!read_frames("istft", a, &f)) {
        return NULL;
    }
    if (x->dim != 2 && x->dim != 3) {
        return fail_null("istft: input must have shape (F, frames) or (B, F, frames), got %s",
                         shape_text(tensor_shape(x)));
    }
    bool onesided = a[7].kind == ARG_NONE ? x->shape[x->dim - 2] != f.n_fft : a[7].b;
    if (!check_spectrum(&f, x, onesided, return_complex)) {
        return NULL;
    }
    bool single = x->dim == 2;
    x = single ? t_unsqueeze(x, 0) : x;
    Tensor *frames = x ? frames_of(&f, x, return_complex) : NULL;
    if (!frames || !fit_window(&f, frames)) {
        return NULL;
    }
    int64_t count = frames->shape[1];
    Tensor *window =
        f.window ? f.window
                 : t_ones(INTS(f.n_fft), dtype_real_of(frames->dtype), frames->device, false);
    Tensor *signal = overlapped(f.window ? t_mul(frames, window) : frames, f.hop);
    Tensor *weight = overlapped(t_expand(t_square(window), INTS(1, count, f.n_fft)), f.hop);
    if (!signal || !weight) {
        return NULL;
    }
    int64_t start = f.center ? f.n_fft / 2 : 0, all = signal->shape[1];
    int64_t end = f.center ? all - f.n_fft / 2 : all;
    signal = divided(signal, weight, start, end, &a[8]);
    return single ? t_squeeze(signal, ints_one(&(const int64_t){0})) : signal;
}
